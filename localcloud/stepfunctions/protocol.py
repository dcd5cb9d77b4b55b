"""Step Functions' requests and answers, held against botocore's own service model.

What checks values against shapes is the local SageMaker's: this is the only module that knows where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from localcloud.contract import strict_json
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.protocol import check_shape
from localcloud.sagemaker.store import AlreadyExistsError, Body, MissingError, Resource, Store

__all__ = [
    "AlreadyExistsError",
    "Body",
    "MissingError",
    "Resource",
    "ServiceError",
    "Store",
    "check_request",
    "operation",
    "response_body",
    "service",
    "strict_json",
    "validation",
]

TARGET_PREFIX = "AWSStepFunctions."


@cache
def service() -> ServiceModel:
    """The Step Functions service model that ships with botocore."""
    return ServiceModel(botocore.loaders.Loader().load_service_model("stepfunctions", "service-2"), "stepfunctions")


def operation(name: str) -> OperationModel:
    """The model of one operation.

    Raises:
        ServiceError: Step Functions has no such operation.
    """
    if name not in service().operation_names:
        raise ServiceError("UnknownOperationException", f"Step Functions has no operation {name!r}.", 404)
    return service().operation_model(name)


def validation(message: str) -> ServiceError:
    """The request is well-formed and cannot be accepted."""
    return ServiceError("ValidationException", message)


def check_request(name: str, request: Any) -> Body:
    """`request` without its nulls, if the operation's input shape admits it.

    Raises:
        ServiceError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", f"{name}: the request is not a JSON object.")
    shape = operation(name).input_shape
    present: Body = {key: value for key, value in request.items() if value is not None}
    return present if shape is None else check_shape(shape, present)


def response_body(name: str, result: Mapping[str, Any] | None) -> Body:
    """`result` as the operation's output shape has it: known members only, no nulls, times as epoch seconds."""
    shape = operation(name).output_shape
    if shape is None or not result:
        return {}
    shaped: Body = _shaped(shape, result)
    return shaped


def _shaped(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {key: _shaped(member, value[key]) for key, member in shape.members.items() if value.get(key) is not None}
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shaped(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _seconds(value)
    return value


def _seconds(moment: datetime | str | float) -> float:
    """Epoch seconds, in whole milliseconds as AWS sends them."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return round(moment.timestamp() if isinstance(moment, datetime) else moment, 3)
