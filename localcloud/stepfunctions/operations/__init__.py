"""The API operations that the local Step Functions implements, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from localcloud.stepfunctions import protocol
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.names import check_name
from localcloud.stepfunctions.protocol import Body, ServiceError

Handler = Callable[[StatesCloud, Body], Body | None]

MODULES = ("activities", "aliases", "executions", "machines", "map_runs", "tags", "tasks", "testing", "versions")
"""The modules of this package that hold operations."""

NAMED = ("CreateActivity", "CreateStateMachine", "StartExecution", "StartSyncExecution")
"""Operations whose name is refused with InvalidName, also where its length breaks the model."""

_HANDLERS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register a function as the implementation of an API operation."""

    def register(function: Handler) -> Handler:
        protocol.operation(name)
        _HANDLERS[name] = function
        return function

    return register


def load() -> None:
    """Import every module that registers operations."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")


def call(cloud: StatesCloud, name: str, request: Any) -> Body:
    """Answer a request: checked on the way in, shaped on the way out.

    Raises:
        ServiceError: as the API answers; an operation that is not implemented is refused by name.
    """
    protocol.operation(name)
    if name not in _HANDLERS:
        raise ServiceError("NotImplementedException", f"The local Step Functions does not implement {name}.", 501)
    if name in NAMED and isinstance(request, dict) and isinstance(request.get("name"), str):
        check_name(request["name"])
    return protocol.response_body(name, _HANDLERS[name](cloud, protocol.check_request(name, request)))
