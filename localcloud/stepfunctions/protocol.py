"""Step Functions' requests and answers, held against botocore's own service model.

The store of resources is the local SageMaker's: this is the only module that knows where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import OperationModel, ServiceModel, Shape

from localcloud.contract import strict_json
from localcloud.sagemaker.store import AlreadyExistsError, Body, MissingError, Resource, Store
from localcloud.sagemaker.store_file import require_whole_stores
from localcloud.service import shapes
from localcloud.service.errors import ServiceError, validation

__all__ = [
    "AlreadyExistsError",
    "Body",
    "MissingError",
    "Resource",
    "ServiceError",
    "Store",
    "check_request",
    "operation",
    "require_whole_stores",
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
    return shapes.operation_model(service(), "Step Functions", name)


def check_request(name: str, request: Any) -> Body:
    """`request` without its nulls, if the operation's input shape admits it.

    Raises:
        ServiceError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    if isinstance(request, dict):
        request = {key: value for key, value in request.items() if value is not None}
    return shapes.check_input(operation(name), request)


def response_body(name: str, result: Mapping[str, Any] | None) -> Body:
    """`result` as the operation's output shape has it, times as epoch seconds."""
    return shapes.output(operation(name), result, _scalar)


def _scalar(shape: Shape, value: Any, path: str) -> Any:
    return _seconds(value) if shape.type_name == "timestamp" else value


def _seconds(moment: datetime | str | float) -> float:
    """Epoch seconds, in whole milliseconds as AWS sends them."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return round(moment.timestamp() if isinstance(moment, datetime) else moment, 3)
