"""boto3 clients of the services that executions call, at the local cloud's addresses."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

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
    """One client a service and region, shared by all threads; all of one session, which reads AWS's endpoints once.

    Attributes:
        aws_url: where every service answers that has no address of its own.
        urls: addresses of those that do, by boto3's name: the local SageMaker and this server.
    """

    aws_url: str
    urls: dict[str, str] = field(default_factory=dict)
    _session: boto3.Session = field(default_factory=boto3.Session)
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def get(self, service: str, region: str) -> Any:
        """The client of a service, by boto3's name for it."""
        with self._making:  # making a client is not safe in two threads, using one is
            if (service, region) not in self._made:
                made = self._made[service, region] = self._session.client(
                    service,
                    endpoint_url=self.urls.get(service, self.aws_url),
                    region_name=region,
                    aws_access_key_id="test",
                    aws_secret_access_key="test",  # noqa: S106 - the local cloud takes any
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
            return self._made[service, region]
