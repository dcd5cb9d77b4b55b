"""The API operations that the local SageMaker implements, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from localcloud.sagemaker import protocol
from localcloud.sagemaker.cloud import Handler
from localcloud.sagemaker.errors import ServiceError

MODULES = (
    "endpoint_configs",
    "endpoints",
    "executions",
    "model_package_groups",
    "model_packages",
    "models",
    "monitoring_job_definitions",
    "monitoring_schedules",
    "pipelines",
    "processing",
    "tags",
    "training",
    "transform",
    "tuning",
)
"""The modules of this package that hold operations."""

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
