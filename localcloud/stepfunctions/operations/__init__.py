"""The API operations that the local Step Functions implements, by name."""

from __future__ import annotations

from typing import Any

from localcloud.service.operations import Operations
from localcloud.service.operations import load as load_operations
from localcloud.stepfunctions import protocol
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.names import check_name
from localcloud.stepfunctions.protocol import Body

MODULES = (
    *("activities", "aliases", "executions", "machines", "map_runs", "redrives", "tags", "tasks", "testing"),
    "versions",
)
"""The modules of this package that hold operations."""

NAMED = ("CreateActivity", "CreateStateMachine", "StartExecution", "StartSyncExecution")
"""Operations whose name is refused with InvalidName, also where its length breaks the model."""

OPERATIONS: Operations[StatesCloud] = Operations("Step Functions", protocol.operation)
operation = OPERATIONS.operation


def load() -> None:
    """Import every module that registers operations."""
    load_operations(__name__, MODULES)


def call(cloud: StatesCloud, name: str, request: Any) -> Body:
    """Answer a request: checked on the way in, shaped on the way out.

    Raises:
        ServiceError: as the API answers; an operation that is not implemented is refused by name.
    """
    handler = OPERATIONS.handler(name)
    if name in NAMED and isinstance(request, dict) and isinstance(request.get("name"), str):
        check_name(request["name"])
    return protocol.response_body(name, handler(cloud, protocol.check_request(name, request)))
