"""A task fails under the name that the error has in AWS's SDK, with the SDK's text.

AWS calls services with the SDK for Java: its second version in aws-sdk integrations, its first in the optimized ones.
Known: recorded answers for S3.NoSuchBucketException, SecretsManager.SecretsManagerException,
DynamoDb.DynamoDbException, SQS.AmazonSQSException, SQS.SdkClientException and their causes; the developer guide for
SageMaker.AmazonSageMakerException and SageMaker.ResourceLimitExceededException. The other names follow the same rule:
the class of the exception, or the service's own exception when its model has no class for the error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_dynamodb import (
    StateTaskServiceDynamoDB,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sns import (
    StateTaskServiceSns,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sqs import (
    StateTaskServiceSqs,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from localcloud.stepfunctions.engine.sdk_names import EXCEPTION, client_name, error_service, exception_name, pascal

OPTIMIZED = {
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "sagemaker": ("SageMaker", "AmazonSageMaker", "AmazonSageMakerException"),
    "sns": ("SNS", "AmazonSNS", "AmazonSNSException"),
    "sqs": ("SQS", "AmazonSQS", "AmazonSQSException"),
    "states": ("StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException"),
}
"""How errors of a service begin, what their cause calls it, and its own exception."""
HEADS = {"HeadBucket": "NoSuchBucketException", "HeadObject": "NoSuchKeyException"}
"""A HEAD request's 404 has no body: the SDK (its ExceptionTranslationInterceptor) names what was not found."""
UNREACHABLE = (ConnectionError, HTTPClientError)


def apply() -> None:
    """Name services, operations and errors as the SDK does."""
    StateTaskService._get_boto_service_name = _client_name
    StateTaskService._get_boto_service_action = _method
    for task in (StateTaskServiceAwsSdk, StateTaskServiceDynamoDB, StateTaskServiceSfn, StateTaskServiceSns):
        task._from_error = named(task._from_error)
    StateTaskServiceSqs._from_error = named(StateTaskServiceSqs._from_error)


def named(original: Callable[[Any, Any, Exception], Any]) -> Callable[[Any, Any, Exception], Any]:
    """`original`, which makes the failure of a task of an exception, and errors of services under AWS's names."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, (ClientError, *UNREACHABLE)):
            return original(self, env, ex)
        optimized = OPTIMIZED.get(self.resource.service_name)
        name, cause = _optimized(ex, *optimized) if optimized else _sdk(ex, self.resource.api_name)
        return failure(self, env, name, cause)

    return from_error


def failure(task: Any, env: Any, error: str, cause: str) -> FailureEvent:
    """The event that a task failed."""
    return FailureEvent(
        env=env,
        error_name=ErrorName(error_name=error),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(
            taskFailedEventDetails=TaskFailedEventDetails(
                error=error,
                cause=cause,
                resource=task._get_sfn_resource(),
                resourceType=task._get_sfn_resource_type(),
            )
        ),
    )


def _optimized(error: Exception, prefix: str, service: str, otherwise: str) -> tuple[str, str]:
    if not isinstance(error, ClientError):
        return f"{prefix}.SdkClientException", _unreachable(error)
    told, metadata = error.response["Error"], error.response["ResponseMetadata"]
    details = (
        f"Service: {service}",
        f"Status Code: {metadata.get('HTTPStatusCode')}",
        f"Error Code: {told.get('Code')}",
        f"Request ID: {metadata.get('RequestId')}",
        "Proxy: null",
    )
    return f"{prefix}.{exception_name(error, otherwise)}", f"{told.get('Message')} ({'; '.join(details)})"


def _sdk(error: Exception, service: str) -> tuple[str, str]:
    prefix = error_service(service)
    if not isinstance(error, ClientError):
        return f"{prefix}.SdkClientException", _unreachable(error)
    told, metadata = error.response["Error"], error.response["ResponseMetadata"]
    details = [
        f"Service: {prefix}",
        f"Status Code: {metadata.get('HTTPStatusCode')}",
        f"Request ID: {metadata.get('RequestId')}",
    ]
    if "HostId" in metadata:
        details.append(f"Extended Request ID: {metadata['HostId']}")
    heads = HEADS if metadata.get("HTTPStatusCode") == 404 else {}
    name = pascal(exception_name(error, heads.get(error.operation_name, prefix + EXCEPTION)))
    return f"{prefix}.{name}", f"{told.get('Message')} ({', '.join(details)})"


def _unreachable(error: Exception) -> str:
    return f"Unable to execute HTTP request: {error}"


def _client_name(self: Any, boto_service_name: str | None = None) -> str:
    wanted = boto_service_name or self.resource.api_name
    return client_name(wanted) or wanted


def _method(self: Any, service_action_name: str | None = None) -> str:
    action = service_action_name or self.resource.api_action
    return str(xform_name(action[:1].upper() + action[1:]))
