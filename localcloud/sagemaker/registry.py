"""The API operations that the local SageMaker implements, by name; the modules of operations/ register themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.sagemaker import protocol
from localcloud.sagemaker.errors import ServiceError

Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | None]
"""(the Cloud, the checked request) to the answer's body. The Cloud's type is not named: it calls what is registered."""

_HANDLERS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register a function as the implementation of an API operation."""

    def register(function: Handler) -> Handler:
        protocol.operation(name)
        _HANDLERS[name] = function
        return function

    return register


def implemented() -> list[str]:
    """The names of all implemented operations."""
    return sorted(_HANDLERS)


def handler(name: str) -> Handler:
    """The implementation of an operation.

    Raises:
        ServiceError: SageMaker has no such operation, or the local one does not implement it.
    """
    protocol.operation(name)
    if name not in _HANDLERS:
        raise ServiceError(
            "NotImplementedException",
            f"The local SageMaker does not implement {name}. It implements: {', '.join(implemented())}.",
            501,
        )
    return _HANDLERS[name]
