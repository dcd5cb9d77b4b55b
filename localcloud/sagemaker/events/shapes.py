"""A state change as an event, in the form of "Events that Amazon SageMaker AI sends to Amazon EventBridge".

Times in a detail are milliseconds since 1970, but ISO 8601 for model packages and pipelines, as in that page's samples.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.sagemaker import protocol
from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.store import Body

Event = dict[str, Any]
Time = Callable[[float], Any]


def event(cloud: Cloud, news: News, moment: float) -> Event | None:
    """The event for a state change that was announced at `moment`, or None when SageMaker sends none for it."""
    made = _MAKERS[news.kind](cloud, news, moment) if news.kind in _MAKERS else None
    if made is None:
        return None
    detail_type, resources, detail = made
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.sagemaker",
        "account": cloud.account,
        "time": iso(moment),
        "region": cloud.region,
        "resources": resources,
        "detail": detail,
    }


Made = tuple[str, list[str], Body] | None


def _model_package(cloud: Cloud, news: News, moment: float) -> Made:
    detail = _described("DescribeModelPackage", {**news.body, **_times(cloud, news, moment)}, iso)
    detail.pop("CreatedBy", None)
    return "SageMaker Model Package State Change", [detail["ModelPackageArn"]], detail


def _job(cloud: Cloud, news: News, moment: float) -> Made:
    detail = _described(f"Describe{news.kind}", {**news.body, **_times(cloud, news, moment)}, milliseconds)
    arn = detail[f"{news.kind}Arn"]
    words = re.sub(r"(?<!^)([A-Z])", r" \1", news.kind)  # "TrainingJob" is "Training Job"
    return f"SageMaker {words} State Change", [arn], {**detail, "Tags": cloud.store.tags(arn)}


def _endpoint(cloud: Cloud, news: News, moment: float) -> Made:
    if news.status == "Deleted":
        return None  # Deleting is the last state
    detail = _described("DescribeEndpoint", {**news.body, "LastModifiedTime": moment}, milliseconds)
    arn = detail["EndpointArn"]
    status = re.sub(r"(?<!^)([A-Z])", r"_\1", news.status).upper()  # "InService" is "IN_SERVICE"
    detail |= {"EndpointStatus": status, "Tags": cloud.store.tags(arn)}
    if news.kind == "Endpoint":
        detail.pop("PendingDeploymentSummary", None)
        return "SageMaker Endpoint State Change", [arn], detail
    return "SageMaker Endpoint Deployment State Change", [arn], detail


def _execution(cloud: Cloud, news: News, moment: float) -> Made:
    body = news.body
    detail = {
        "pipelineExecutionDisplayName": body.get("PipelineExecutionDisplayName"),
        "currentPipelineExecutionStatus": news.status,
        "previousPipelineExecutionStatus": news.previous or None,
        "executionStartTime": _iso_or_none(body.get("StartTime")),
        "executionEndTime": _iso_or_none(body.get("EndTime")),
        "pipelineExecutionDescription": body.get("PipelineExecutionDescription"),
        "pipelineArn": body["PipelineArn"],
        "pipelineExecutionArn": body["PipelineExecutionArn"],
    }
    resources = [body["PipelineArn"], body["PipelineExecutionArn"]]
    return "SageMaker Model Building Pipeline Execution Status Change", resources, _present(detail)


def _step(cloud: Cloud, news: News, moment: float) -> Made:
    body = news.body
    detail = {
        "metadata": _lower_camel(body.get("Metadata") or {}),
        "stepStartTime": _iso_or_none(body.get("StartTime")),
        "stepEndTime": _iso_or_none(body.get("EndTime")),
        "stepName": body["StepName"],
        "stepType": body.get("StepType"),
        "previousStepStatus": news.previous or None,
        "currentStepStatus": news.status,
        "cacheHitResult": _lower_camel(body.get("CacheHitResult")),
        "failureReason": body.get("FailureReason"),
        "pipelineArn": body["PipelineArn"],
        "pipelineExecutionArn": body["PipelineExecutionArn"],
    }
    resources = [body["PipelineArn"], body["PipelineExecutionArn"]]
    return "SageMaker Model Building Pipeline Execution Step Status Change", resources, _present(detail)


_MAKERS: dict[str, Callable[[Cloud, News, float], Made]] = {
    "ModelPackage": _model_package,
    "ProcessingJob": _job,
    "TrainingJob": _job,
    "TransformJob": _job,
    "Endpoint": _endpoint,
    "EndpointDeployment": _endpoint,
    "pipeline-execution": _execution,
    "pipeline-step": _step,
}
"""By the kind of news."""


def _times(cloud: Cloud, news: News, moment: float) -> Body:
    """The times of a resource that changed at `moment`; its record may have gone, or changed again, since."""
    found = cloud.store.find(news.kind, news.name)
    return {"CreationTime": found.created if found else None, "LastModifiedTime": moment}


def iso(moment: float) -> str:
    """Epoch seconds as `2026-11-20T10:00:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: float) -> int:
    """Epoch seconds as milliseconds."""
    return round(1000 * moment)


def _iso_or_none(moment: float | None) -> str | None:
    return None if moment is None else iso(moment)


def _described(operation: str, body: Body, time: Time) -> Body:
    """What a Describe operation would answer, with its times written by `time`."""
    shape = protocol.operation(operation).output_shape
    described: Body = _timed(shape, protocol.response_body(operation, body), time)
    return described


def _timed(shape: Shape, value: Any, time: Time) -> Any:
    if isinstance(shape, StructureShape):
        return {key: _timed(shape.members[key], item, time) for key, item in value.items()}
    if isinstance(shape, ListShape):
        return [_timed(shape.member, item, time) for item in value]
    if isinstance(shape, MapShape):
        return {key: _timed(shape.value, item, time) for key, item in value.items()}
    return time(value) if shape.type_name == "timestamp" else value


def _lower_camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower_camel(item) for key, item in value.items()}
    return [_lower_camel(item) for item in value] if isinstance(value, list) else value


def _present(detail: Body) -> Body:
    return {key: value for key, value in detail.items() if value is not None}
