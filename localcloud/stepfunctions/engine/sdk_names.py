"""The names of services and members in AWS's SDK for Java, with which Step Functions calls services.

AWS: `aws-sdk:eventbridge:putEvents` is named by the SDK's package, members and errors by its classes (developer guide,
"Learning to use AWS service SDK integrations in Step Functions"). The SDK makes them from the service's model.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.loaders
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel
from botocore.utils import CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
EXCEPTION = "Exception"


@cache
def _clients() -> dict[str, str]:
    """boto3's names of services, by the SDK's."""
    names = botocore.loaders.Loader().list_available_services("service-2")
    return {CLIENT_NAME_TO_HYPHENIZED_SERVICE_ID_OVERRIDES.get(name, name).replace("-", ""): name for name in names}


def client_name(service: str) -> str | None:
    """boto3's name of the service that Step Functions calls `service`; None when there is none."""
    return _clients().get({"states": "sfn", "events": "eventbridge"}.get(service, service).lower())


@cache
def service_model(client: str) -> ServiceModel:
    """The model of a service, by boto3's name."""
    return ServiceModel(botocore.loaders.Loader().load_service_model(client, "service-2"), client)


@cache
def _operations(client: str) -> dict[str, str]:
    return {xform_name(name): name for name in service_model(client).operation_names}


def operation_model(service: str, action: str) -> OperationModel | None:
    """The operation `action`, as `listObjectsV2` or boto3's `list_objects_v2`; None when there is none."""
    client = client_name(service)
    if client is None:
        return None
    name = _operations(client).get(action if "_" in action else xform_name(action[:1].upper() + action[1:]))
    return service_model(client).operation_model(name) if name else None


def pascal(name: str) -> str:
    """A name as the SDK's second version writes it: `DynamoDB` is `DynamoDb`, `SSEKMSKeyId` is `SsekmsKeyId`."""
    return "".join(word[:1].upper() + word[1:].lower() for word in _WORDS.split(name) if word)


def error_service(service: str) -> str:
    """How errors of aws-sdk integrations begin: `S3`, `Sqs`, `SageMaker`."""
    client = client_name(service)
    return pascal(service_model(client).service_id) if client else pascal(service)


def exception_name(error: Any, otherwise: str) -> str:
    """The class of boto3's `error` in the SDK; `otherwise`, when the service's model does not have it."""
    name = type(error).__name__
    if name == "ClientError":
        return otherwise
    return name if name.endswith(EXCEPTION) else name.removesuffix("Fault") + EXCEPTION
