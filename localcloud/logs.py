"""What a job, an endpoint or a function wrote, and what happened in an execution, line by line and as it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from localcloud.inventory import ENDED, Clients, Entry

GROUPS = {
    "training job": "/aws/sagemaker/TrainingJobs",
    "processing job": "/aws/sagemaker/ProcessingJobs",
    "transform job": "/aws/sagemaker/TransformJobs",
    "endpoint": "/aws/sagemaker/Endpoints/{name}",
    "function": "/aws/lambda/{name}",
}
"""Of jobs the streams begin with the job's name; endpoints and functions have groups of their own."""
DESCRIBED = {
    "training job": ("sagemaker", "describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    "processing job": ("sagemaker", "describe_processing_job", "ProcessingJobName", "ProcessingJobStatus"),
    "transform job": ("sagemaker", "describe_transform_job", "TransformJobName", "TransformJobStatus"),
    "pipeline execution": (
        "sagemaker",
        "describe_pipeline_execution",
        "PipelineExecutionArn",
        "PipelineExecutionStatus",
    ),
    "execution": ("stepfunctions", "describe_execution", "executionArn", "status"),
}
"""What has an end: who describes it, with which operation and parameter, and the answer's member."""
GONE = {"ValidationException", "ResourceNotFound", "ExecutionDoesNotExist"}
"""SageMaker answers a Describe of a job that is not there with a ValidationException."""
LOOK_SECONDS = 1.0
SHOWN_CHARACTERS = 300
Read = Callable[[], Iterator[str]]
"""What is new since the last call."""


def log_lines(of: Clients, entry: Entry, follow: bool) -> Iterator[str]:
    """The lines of a log. With `follow` they come until a job or an execution has ended, else without an end."""
    read = _reader(of, entry)
    while True:
        over = not follow or _status(of, entry) in ENDED  # asked before reading: what comes with the end is not missed
        yield from read()
        if over:
            return
        time.sleep(LOOK_SECONDS)


def _reader(of: Clients, entry: Entry) -> Read:
    if entry.kind == "execution":
        return _history(of("stepfunctions"), entry)
    if entry.kind == "pipeline execution":
        return _steps(of("sagemaker"), entry)
    group = GROUPS[entry.kind].format(name=entry.name)
    return _streams(of("logs"), group, f"{entry.name}/" if entry.kind.endswith("job") else "")


def _status(of: Clients, entry: Entry) -> str | None:
    """The status of a job or an execution, "Stopped" when it is no longer there; of what has no end, None."""
    if entry.kind not in DESCRIBED:
        return None
    service, operation, parameter, member = DESCRIBED[entry.kind]
    by = entry.arn if parameter.lower().endswith("arn") else entry.name
    client = of(service)
    try:
        return str(getattr(client, operation)(**{parameter: by})[member])
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return "Stopped"


def _streams(logs: Any, group: str, prefix: str) -> Read:
    read_to: dict[str, str] = {}

    def read() -> Iterator[str]:
        try:
            options = {"logStreamNamePrefix": prefix} if prefix else {}
            pages = list(logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **options))
        except logs.exceptions.ResourceNotFoundException:
            return
        new: list[tuple[int, str]] = []
        for stream in (one["logStreamName"] for page in pages for one in page["logStreams"]):
            events, read_to[stream] = _events(logs, group, stream, read_to.get(stream))
            new += [(event["timestamp"], event["message"].rstrip("\n")) for event in events]
        for _, message in sorted(new, key=lambda one: one[0]):
            yield message

    return read


def _events(logs: Any, group: str, stream: str, token: str | None) -> tuple[list[dict[str, Any]], str]:
    """The events of a stream after a token, from its beginning without one, and the token of its end."""
    found: list[dict[str, Any]] = []
    while True:
        position = {"nextToken": token} if token else {}
        answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **position)
        found += answer["events"]
        before, token = token, str(answer["nextForwardToken"])
        if token == before:  # the service's word for the end
            return found, token


def _history(states: Any, entry: Entry) -> Read:
    shown = 0

    def read() -> Iterator[str]:
        nonlocal shown
        pages = states.get_paginator("get_execution_history").paginate(executionArn=entry.arn)
        for event in (one for page in pages for one in page["events"]):
            if event["id"] > shown:
                shown = event["id"]
                details: dict[str, Any] = next(
                    (value for key, value in event.items() if key.endswith("EventDetails")), {}
                )
                yield _line(event["timestamp"], event["type"], json.dumps(details) if details else "")

    return read


def _steps(sagemaker: Any, entry: Entry) -> Read:
    told: set[tuple[str, str]] = set()

    def read() -> Iterator[str]:
        pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=entry.arn, SortOrder="Ascending"
        )
        for step in (one for page in pages for one in page["PipelineExecutionSteps"]):
            key = (step["StepName"], step["StepStatus"])
            if key not in told:
                told.add(key)
                moment = step.get("EndTime") or step.get("StartTime") or datetime.now(UTC)
                yield _line(moment, f"{step['StepName']} {step['StepStatus']}", step.get("FailureReason", ""))

    return read


def _line(moment: datetime, what: str, more: str) -> str:
    short = more if len(more) <= SHOWN_CHARACTERS else f"{more[:SHOWN_CHARACTERS]} …"
    return f"{moment.astimezone():%H:%M:%S}  {what}  {short}".rstrip()
