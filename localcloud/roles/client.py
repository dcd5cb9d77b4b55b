"""Asking MiniStack about roles, for the other parts of a local cloud that enforces them."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from localcloud.environment import ROLES_PATH

ANSWER_SECONDS = 30.0
TRUST = "Trust"
"""The code of a refusal because the role does not let the service assume it, or is not there."""


class RoleDeniedError(Exception):
    """A role may not be assumed, or does not allow what was asked.

    Attributes:
        code: TRUST, AccessDeniedException, or UnrecognizedClientException for an unknown access key.
        message: AWS's words for the latter two.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Check:
    """One action on one resource, with the condition keys that the request has."""

    action: str
    resource: str
    context: dict[str, str] = field(default_factory=dict)


def passing(role: str, service: str) -> Check:
    """Handing a role over to a service."""
    return Check("iam:PassRole", role, {"iam:PassedToService": service})


@dataclass(frozen=True)
class Roles:
    """The roles of the local cloud whose MiniStack answers at `url`, in one region."""

    url: str
    region: str

    def credentials(self, role: str, service: str, name: str) -> dict[str, str]:
        """What boto3.client needs to act as the role, in a session of that name.

        Raises:
            RoleDeniedError: TRUST.
            OSError, http.client.HTTPException: MiniStack does not answer.
        """
        asked = {"do": "session", "role": role, "service": service, "name": name}
        found = self._ask(asked)
        return {
            "aws_access_key_id": found["key"],
            "aws_secret_access_key": found["secret"],
            "aws_session_token": found["token"],
        }

    def check_key(self, key: str, *checks: Check) -> None:
        """Check what who has an access key is about to do.

        Raises:
            RoleDeniedError: AccessDeniedException, UnrecognizedClientException.
        """
        self._ask({"do": "check", "key": key, "checks": [vars(one) for one in checks]})

    def check_role(self, role: str, service: str, name: str, *checks: Check) -> None:
        """Check what a service is about to do in a role's name.

        Raises:
            RoleDeniedError: TRUST, AccessDeniedException.
        """
        self._ask({"do": "session", "role": role, "service": service, "name": name})
        self._ask({"do": "check", "role": role, "name": name, "checks": [vars(one) for one in checks]})

    def _ask(self, asked: dict[str, Any]) -> dict[str, str]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=ANSWER_SECONDS)
        try:
            connection.request("POST", ROLES_PATH, json.dumps({**asked, "region": self.region}).encode())
            answer = connection.getresponse()
            found: dict[str, str] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status == 403:
            raise RoleDeniedError(found["code"], found["message"])
        if answer.status != 200:
            raise http.client.HTTPException(f"MiniStack answered {answer.status} about roles")
        return found
