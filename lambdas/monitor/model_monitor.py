"""The schedule as a SageMaker MonitoringSchedule, with a job definition for each version that is watched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lambdas.monitor.program import MAX_SECONDS, OUTPUT, TRAFFIC, application, cluster
from lambdas.monitor.watching import Watching, WatchRecord
from lambdas.service_errors import calling

HOURLY = "cron(0 * ? * * *)"
TYPE = "DataQuality"


def create_schedule(host: Watching, sagemaker: Any, record: WatchRecord, environment: dict[str, str]) -> None:
    """Make the schedule run the version in `record`, whether it exists or not; older job definitions go.

    Raises:
        ClientError: SageMaker refuses; then nothing new is left.
    """
    request = _definition(host, record, environment)
    name = request["JobDefinitionName"]
    made = _create(sagemaker.create_data_quality_job_definition, request)  # its name says all that is in it
    config = {
        "ScheduleConfig": {"ScheduleExpression": HOURLY},
        "MonitoringJobDefinitionName": name,
        "MonitoringType": TYPE,
    }
    asked = {"MonitoringScheduleName": host.schedule, "MonitoringScheduleConfig": config}
    try:
        if not _create(sagemaker.create_monitoring_schedule, asked):
            sagemaker.update_monitoring_schedule(**asked)
    except ClientError:
        if made:
            sagemaker.delete_data_quality_job_definition(JobDefinitionName=name)
        raise
    _forget_definitions(host, sagemaker, but=name)


def delete_schedule(host: Watching, sagemaker: Any) -> bool:
    """Delete the schedule and its job definitions; False when there was no schedule."""
    with calling(f"deleting monitoring schedule {host.schedule}"):
        there = _found(sagemaker.describe_monitoring_schedule, MonitoringScheduleName=host.schedule) is not None
        if there:
            sagemaker.delete_monitoring_schedule(MonitoringScheduleName=host.schedule)
        _forget_definitions(host, sagemaker)
    return there


def _definition(host: Watching, record: WatchRecord, environment: dict[str, str]) -> dict[str, Any]:
    baseline = {
        member: {"S3Uri": record[name]}
        for member, name in (("StatisticsResource", "statistics"), ("ConstraintsResource", "constraints"))
        if record[name]
    }
    output = {"S3Uri": f"s3://{host.bucket}/monitor", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
    request: dict[str, Any] = {
        "DataQualityAppSpecification": {
            **application(host),
            "Environment": {**environment, "publish_cloudwatch_metrics": "Enabled"},
        },
        "DataQualityJobInput": {"EndpointInput": {"EndpointName": host.endpoint, "LocalPath": TRAFFIC}},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "JobResources": cluster(host),
        "StoppingCondition": {"MaxRuntimeInSeconds": MAX_SECONDS},
        "RoleArn": host.role_arn,
        **({"DataQualityBaselineConfig": baseline} if baseline else {}),
    }
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:8]
    return {"JobDefinitionName": f"{_prefix(host)}{record['version']}-{digest}", **request}


def _prefix(host: Watching) -> str:
    return f"{host.schedule}-v"


def _forget_definitions(host: Watching, sagemaker: Any, but: str = "") -> None:
    listed = sagemaker.list_data_quality_job_definitions(EndpointName=host.endpoint, MaxResults=100)
    for one in listed["JobDefinitionSummaries"]:
        name = one["MonitoringJobDefinitionName"]
        if name.startswith(_prefix(host)) and name != but:
            sagemaker.delete_data_quality_job_definition(JobDefinitionName=name)


def _create(create: Callable[..., Any], request: dict[str, Any]) -> bool:
    """Whether this call made it; False when it was there already. Looking first would let two runs make it at once."""
    try:
        create(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
        return False
    return True


def _found(describe: Callable[..., Any], **named: str) -> Any:
    try:
        return describe(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ResourceNotFound", "ValidationException"}:
            return None
        raise
