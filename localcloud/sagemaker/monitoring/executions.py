"""Executions of monitoring schedules: begin one, and what it comes to.

    InProgress ──► Completed, CompletedWithViolations     the job's program said so
         └───────► Failed, Stopped                        the job failed or was stopped; or there was nothing to analyse

An execution is a processing job. The record is what ListMonitoringExecutions shows, and of our own: Window.
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.endpoints.hosting import EndpointHosting
from localcloud.sagemaker.errors import ServiceError, not_found
from localcloud.sagemaker.jobs import lifecycle, processing
from localcloud.sagemaker.jobs.job_types import PROCESSING, UNFINISHED
from localcloud.sagemaker.jobs.lifecycle import JobRun
from localcloud.sagemaker.monitoring import merge, request
from localcloud.sagemaker.monitoring.definitions import MonitoringDefinition, of_schedule
from localcloud.sagemaker.monitoring.request import AnalysisWindow
from localcloud.sagemaker.resources import ResourceType
from localcloud.sagemaker.store import Body, Resource

log = logging.getLogger(__name__)
SCHEDULE = ResourceType("MonitoringSchedule", "monitoring-schedule", "Monitoring Schedule {arn} not found", not_found)
KIND = "MonitoringExecution"
RUNNING = "InProgress"
NO_DATA = "Job inputs had no data"
"""AWS's words for a window in which nothing was captured: such an execution has no job."""
METRICS = "output/metrics/cloudwatch/cloudwatch_metrics.jsonl"
NAMESPACES = {
    "DataQuality": "aws/sagemaker/Endpoints/data-metrics",
    "ModelQuality": "aws/sagemaker/Endpoints/model-metrics",
}
MOST_DATA = 500


def begin(cloud: Cloud, schedule: Resource, scheduled: float, window: AnalysisWindow) -> Resource:
    """Start the job of an execution; its record. What cannot be started is an execution that failed."""
    try:
        definition = of_schedule(cloud, schedule.body["MonitoringScheduleConfig"])
        cloud.shared(EndpointHosting).capture.flush(
            definition.endpoint
        )  # what it still holds of the window belongs to it
        captures = request.captured(cloud, definition, window)
        if not captures:
            return _insert(cloud, schedule, scheduled, window, "Failed", {"FailureReason": NO_DATA})
        arn = _job(cloud, definition, schedule, scheduled, window, captures)
    except (ServiceError, ClientError, BotoCoreError) as error:
        log.warning("%s cannot run: %s", schedule.name, error)
        return _insert(cloud, schedule, scheduled, window, "Failed", {"FailureReason": str(error)})
    return _insert(cloud, schedule, scheduled, window, RUNNING, {"ProcessingJobArn": arn})


def _job(
    cloud: Cloud,
    definition: MonitoringDefinition,
    schedule: Resource,
    scheduled: float,
    window: AnalysisWindow,
    captures: list[str],
) -> str:
    target = ""
    if definition.kind == "ModelQuality":
        output = request.output_uri(definition, f"{schedule.name}/merge", scheduled)
        target = f"{output}/{uuid.uuid4().hex[:8]}"
    inputs = [target] if target else captures
    wanted = request.processing_job(definition, schedule.body, scheduled, window, inputs)
    processing.check(wanted)

    def work(job: JobRun) -> None:
        if target:
            merge.write(cloud, captures, definition.ground_truth, target)
        processing.work(job)
        _publish(job, definition)

    arn = lifecycle.begin(cloud, PROCESSING, wanted, work)
    cloud.store.set_tags(arn, cloud.store.tags(schedule.arn))
    return arn


def _publish(job: JobRun, definition: MonitoringDefinition) -> None:
    """Send the metrics that the program left, if it was told to: here, as on AWS, that is the service's part."""
    path = job.folder.base / METRICS
    if job.request["Environment"].get("publish_cloudwatch_metrics") != "Enabled" or not path.is_file():
        return
    try:
        data = [_metric(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        for start in range(0, len(data), MOST_DATA):
            job.cloud.aws("cloudwatch").put_metric_data(
                Namespace=NAMESPACES[definition.kind], MetricData=data[start : start + MOST_DATA]
            )
    except (ValueError, TypeError, AttributeError, ClientError, BotoCoreError) as error:
        log.error("the metrics of %s are lost: %s", job.name, error)


def _metric(line: dict[str, Any]) -> dict[str, Any]:
    """One line of the file; dimensions come as a list of `{"Name", "Value"}` or of `{name: value}`."""
    pairs = [
        one if {"Name", "Value"} == one.keys() else {"Name": name, "Value": value}
        for one in line.get("Dimensions", [])
        for name, value in one.items()
    ]
    distinct = {pair["Name"]: pair for pair in pairs}
    return {**line, "Dimensions": list(distinct.values()), "Timestamp": datetime.fromisoformat(line["Timestamp"])}


def _insert(
    cloud: Cloud, schedule: Resource, scheduled: float, window: AnalysisWindow, status: str, more: Body
) -> Resource:
    config = schedule.body["MonitoringScheduleConfig"]
    body: Body = {
        "MonitoringScheduleName": schedule.name,
        "ScheduledTime": scheduled,
        "MonitoringExecutionStatus": status,
        "EndpointName": schedule.body["EndpointName"],
        "MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName"),
        "MonitoringType": schedule.body["MonitoringType"],
        "Window": {"start": window.start, "end": window.end},
        **more,
    }
    name = f"{schedule.name}/{uuid.uuid4().hex}"
    arn = cloud.arn(f"monitoring-execution/{name}")
    made = cloud.store.insert(KIND, name, body, arn=arn, parent=schedule.name, status=status)
    cloud.announce(News(KIND, name, status, "", made.body))
    return made


def settle(cloud: Cloud, execution: Resource) -> Resource | None:
    """Make the record of an execution say how its job ended; None while the job runs."""
    job = cloud.store.find(PROCESSING.name, execution.body["ProcessingJobArn"].rpartition("/")[2])
    if job is not None and job.status in UNFINISHED:
        return None
    status, reason = _verdict(job)
    changes: Body = {"MonitoringExecutionStatus": status, **({"FailureReason": reason} if reason else {})}
    new = cloud.store.update(KIND, execution.name, changes, status=status)
    cloud.announce(News(KIND, execution.name, status, execution.status, new.body))
    return new


def cut_off(execution: Resource) -> bool:
    """Whether it ended with the server, and not by itself."""
    return execution.body.get("FailureReason") == lifecycle.RESTARTED


def _verdict(job: Resource | None) -> tuple[str, str]:
    if job is None:
        return "Failed", "The processing job was deleted."
    if job.status != "Completed":
        return job.status, job.body.get("FailureReason", "")
    message = str(job.body.get("ExitMessage", ""))
    if message.startswith("CompletedWithViolations"):
        return "CompletedWithViolations", message
    return "Completed", ""


def summary(resource: Resource) -> Body:
    """As the API shows it."""
    return {**resource.body, "CreationTime": resource.created, "LastModifiedTime": resource.modified}
