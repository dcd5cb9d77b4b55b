"""Tasks reach the services of the local cloud.

moto's go to its own server. A task's region is kept. Its credentials name a role, the state machine's unless the state
names another: it is assumed where roles are enforced. A role that Step Functions may not assume fails the task.
"""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.utils import boto_client

from localcloud.roles.client import RoleDeniedError
from localcloud.stepfunctions.clients import Clients
from localcloud.stepfunctions.engine.overrides import put

_CLIENTS: list[Clients] = []


def use(clients: Clients) -> None:
    """Let every task that starts from now on take its clients from `clients`."""
    _CLIENTS[:] = [clients]


def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """The client of `service` in `region`."""
    role = state_credentials.role_arn if state_credentials else ""
    try:
        return _CLIENTS[0].get(service, region, role)
    except RoleDeniedError as denied:
        told = {"Code": "AccessDeniedException", "Message": denied.message}
        metadata = {"HTTPStatusCode": 403, "RequestId": str(uuid.uuid4())}
        raise ClientError({"Error": told, "ResponseMetadata": metadata}, "AssumeRole") from None


def of_machine(env: Any, service: str) -> Any:
    """The client of `service` in the state machine's region that acts as its role."""
    details = env.aws_execution_details
    return boto_client_for(details.region, service, StateCredentials(role_arn=details.role_arn))


def apply() -> None:
    """Replace moto's maker of clients."""
    put("boto_client_for", boto_client.boto_client_for, boto_client_for)
