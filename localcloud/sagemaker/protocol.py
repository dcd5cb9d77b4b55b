"""SageMaker's JSON 1.1 protocol, spoken with botocore's own service model.

Times travel as epoch seconds in whole milliseconds, as in AWS's recorded answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, Shape

from localcloud.contract.requests import SCALARS, service
from localcloud.service import shapes

_NOISE = 0.001
"""Milliseconds; more than what a float of today's epoch seconds is off by, which is a quarter of it."""


def operation(name: str) -> OperationModel:
    """The model of one operation.

    Raises:
        ServiceError: SageMaker has no such operation.
    """
    return shapes.operation_model(service(), "SageMaker", name)


def check_request(name: str, request: Any) -> dict[str, Any]:
    """Return `request` if the operation's input shape admits it.

    Raises:
        ServiceError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    return shapes.check_input(operation(name), request)


def response_body(name: str, result: Mapping[str, Any] | None) -> dict[str, Any]:
    """`result` as the operation's output shape has it.

    Raises:
        TypeError: a value is not what the model says.
    """
    return shapes.output(operation(name), result, _scalar)


def whole_milliseconds(moment: float) -> float:
    """A time in epoch seconds without what is finer than a millisecond; one in whole milliseconds stays as it is."""
    return math.floor(moment * 1000 + _NOISE) / 1000


def _scalar(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(value, datetime):
        return whole_milliseconds(value.timestamp())
    if not isinstance(value, SCALARS[shape.type_name]):
        raise TypeError(f"{path} is {type(value).__name__}, and the model says {shape.type_name}")
    if shape.type_name == "timestamp" and isinstance(value, float):
        return whole_milliseconds(value)
    return value
