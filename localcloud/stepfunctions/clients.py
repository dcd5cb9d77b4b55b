"""boto3 clients of the services that executions call, at the local cloud's addresses."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.config import Config

from localcloud.roles.client import Roles

PRINCIPAL = "states.amazonaws.com"
SESSION = "StepFunctions"
"""The name of the session in which a state machine's role acts. AWS's is of random letters."""
LONGEST_ANSWER_SECONDS = 960
"""A Lambda function may take 15 minutes."""


_LAST = threading.local()


def _keep_metadata(parsed: dict[str, Any], **_: Any) -> None:
    _LAST.metadata = parsed.get("ResponseMetadata")


def last_metadata() -> dict[str, Any]:
    """The metadata of the last answer of any service that this thread has got."""
    return getattr(_LAST, "metadata", None) or {}


@dataclass
class Clients:
    """One client a service, region and role for all threads, all of one session, which reads AWS's endpoints once.

    Attributes:
        aws_url: where every service answers that has no address of its own.
        urls: addresses of those that do, by boto3's name: the local SageMaker and this server.
        roles: where they are enforced.
    """

    aws_url: str
    urls: dict[str, str] = field(default_factory=dict)
    roles: Roles | None = None
    _session: boto3.Session = field(default_factory=boto3.Session)
    _made: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def get(self, service: str, region: str, role: str = "") -> Any:
        """The client of a service, by boto3's name for it, that acts as the role where roles are enforced.

        Raises:
            RoleDeniedError: Step Functions may not assume the role.
        """
        role = role if self.roles else ""
        with self._making:  # making a client is not safe in two threads, using one is
            if (service, region, role) not in self._made:
                made = self._made[service, region, role] = self._session.client(
                    service,
                    endpoint_url=self.urls.get(service, self.aws_url),
                    region_name=region,
                    **self._credentials(role, region),
                    config=Config(
                        parameter_validation=False,  # the service answers, as it does to AWS's own
                        inject_host_prefix=False,
                        max_pool_connections=128,
                        connect_timeout=5,
                        read_timeout=LONGEST_ANSWER_SECONDS,
                        retries={"total_max_attempts": 1},
                        s3={"addressing_style": "path"},
                    ),
                )
                made.meta.events.register("after-call", _keep_metadata)
            return self._made[service, region, role]

    def check_trust(self, role: str, region: str) -> None:
        """Where roles are enforced, check that Step Functions may assume the role.

        Raises:
            RoleDeniedError: it may not, or there is no such role.
        """
        if self.roles:
            replace(self.roles, region=region).credentials(role, PRINCIPAL, SESSION)

    def _credentials(self, role: str, region: str) -> dict[str, str]:
        if self.roles and role:
            return replace(self.roles, region=region).credentials(role, PRINCIPAL, SESSION)
        return {"aws_access_key_id": "test", "aws_secret_access_key": "test"}  # the local cloud takes any
