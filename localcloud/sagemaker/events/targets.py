"""Calling a target: Lambda, Step Functions, SNS, SQS, or a pipeline of this SageMaker."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.roles.client import Check, RoleDeniedError
from localcloud.roles.targets import ACTIONS, NEED_ROLE
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError

Target = dict[str, Any]
EVENTS = "events.amazonaws.com"
SESSION = "events"
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}


class UnsupportedTargetError(Exception):
    """Nothing here can call a target like that; the argument says which."""


def call(cloud: Cloud, target: Target, text: str, delivery: str) -> None:
    """Hand the text over to a target. `delivery` is the same when it is tried again, and different for any other.

    Raises:
        UnsupportedTargetError: a kind of target that is not done here.
        ClientError, BotoCoreError, ServiceError: the target's service refused or cannot be reached.
    """
    arn = target["Arn"]
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    _require_role(cloud, target, service)
    if service == "lambda":
        cloud.aws("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
    elif service == "states":
        _start_execution(cloud.aws("stepfunctions"), arn, text, delivery)
    elif service == "sns":
        cloud.aws("sns").publish(TopicArn=arn, Message=text)
    elif service == "sqs":
        group = target.get("SqsParameters", {}).get("MessageGroupId")
        send(cloud, arn, text, **({"MessageGroupId": group} if group else {}))
    elif service == "sagemaker" and ":pipeline/" in arn:
        parameters = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
        request = {"PipelineName": arn, "PipelineParameters": parameters, "ClientRequestToken": delivery}
        cloud.call("StartPipelineExecution", request)
    else:
        raise UnsupportedTargetError(
            f"the local SageMaker delivers events to Lambda, Step Functions, SNS, SQS and its pipelines, not to {arn}"
        )


def _require_role(cloud: Cloud, target: Target, service: str) -> None:
    """Where roles are enforced, check that EventBridge may call the target in the name of the role that it was given.

    Raises:
        ServiceError: AccessDeniedException; not one that passes.
    """
    role = target.get("RoleArn", "")
    if cloud.roles is None or service not in ACTIONS or not (role or service in NEED_ROLE):
        return
    if not role:
        raise ServiceError("AccessDeniedException", f"The target {target['Arn']} has no RoleArn.")
    try:
        cloud.roles.check_role(role, EVENTS, SESSION, Check(ACTIONS[service], target["Arn"]))
    except RoleDeniedError as denied:
        raise ServiceError("AccessDeniedException", denied.message) from None


def send(cloud: Cloud, queue_arn: str, text: str, **more: Any) -> None:
    """Send a message to an SQS queue."""
    client = cloud.aws("sqs")
    url = client.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=text, **more)


def transient(error: Exception) -> bool:
    """Whether it is worth trying again: the service was away, failed, or throttled."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= 500 or status == 429 or error.response["Error"]["Code"] in THROTTLED
    if isinstance(error, ServiceError):
        return error.status >= 500
    return isinstance(error, BotoCoreError)


def code(error: Exception) -> str:
    """The name of an error, for a dead letter."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return error.code if isinstance(error, ServiceError) else type(error).__name__


def _start_execution(client: Any, arn: str, text: str, delivery: str) -> None:
    try:
        client.start_execution(stateMachineArn=arn, name=delivery, input=text)
    except client.exceptions.ExecutionAlreadyExists:
        return  # an earlier attempt arrived, and its answer did not
