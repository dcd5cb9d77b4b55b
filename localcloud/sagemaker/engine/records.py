"""Executions and steps in the store: every transition is written before anything is done about it, then announced.

pipeline             name                        a pipeline
pipeline-version     <pipeline>/<number>         one of its definitions; never changes
pipeline-execution   <execution id>              an execution, below its pipeline
pipeline-step        <execution id>/<step>       a step that was reached, below its execution
pipeline-cache       <pipeline>/<step>/<key>     the most recent success of a step with that key, below its pipeline
pipeline-model       <pipeline>/<digest>         the model that a Model step made from that request, likewise
pipeline-callback    <token>                     what a Callback step waits for, and the answer, likewise
pipeline-token       <pipeline>/<token>          the execution that was started with that ClientRequestToken, likewise
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.errors import not_found
from localcloud.sagemaker.resources import ResourceType
from localcloud.sagemaker.store import Resource

Written = TypeVar("Written")
PIPELINE = ResourceType("pipeline", "pipeline", "Pipeline '{arn}' does not exist.", not_found)
VERSION = "pipeline-version"
EXECUTION = "pipeline-execution"
STEP = "pipeline-step"
CACHE = "pipeline-cache"
MODEL = "pipeline-model"
TOKEN = "pipeline-token"  # noqa: S105 - the name of a kind
CALLBACK = "pipeline-callback"

STEP_REASON_LENGTH = 1024
EXECUTION_REASON_LENGTH = 1300
UNFINISHED = ("Executing", "Stopping")
"""The statuses of an execution that runs."""
WITH_FAILURES = "CompletedWithFailures"
"""How an execution ends whose failed steps all had steps that ran because of that: run_conditions.py. The service
model of today's botocore does not list it, and no client checks an answer's values."""
ENDED = ("Succeeded", "Failed", "Stopped")
"""The last statuses of a step."""


def version_name(pipeline: str, number: int) -> str:
    """The name under which a version of a pipeline is stored."""
    return f"{pipeline}/{number}"


def execution(cloud: Cloud, execution_id: str) -> Resource:
    """An execution that is known to exist."""
    found = cloud.store.find(EXECUTION, execution_id)
    if found is None:
        raise LookupError(f"pipeline execution {execution_id} is gone")
    return found


def role(cloud: Cloud, run: Resource) -> str:
    """The role of an execution's pipeline, in whose name its steps act."""
    pipeline = cloud.store.find(PIPELINE.name, run.parent)
    return str(pipeline.body["RoleArn"]) if pipeline else ""


def definition_text(cloud: Cloud, run: Resource) -> str:
    """The definition that an execution runs."""
    version = cloud.store.find(VERSION, version_name(run.parent, run.body["PipelineVersionId"]))
    if version is None:
        raise LookupError(f"version {run.body['PipelineVersionId']} of pipeline {run.parent} is gone")
    return str(version.body["PipelineDefinition"])


def delete_pipeline(cloud: Cloud, pipeline: str) -> None:
    """Forget a pipeline and everything below it."""
    with cloud.store.transaction():
        for kind in (EXECUTION, VERSION, CACHE, MODEL, TOKEN, CALLBACK):
            for resource in cloud.store.page(kind, parent=pipeline)[0]:
                if kind == EXECUTION:
                    for step in steps(cloud, resource.name).values():
                        cloud.store.delete(STEP, step.name)
                cloud.store.delete(kind, resource.name)
        cloud.store.delete(PIPELINE.name, pipeline)


def steps(cloud: Cloud, execution_id: str) -> dict[str, Resource]:
    """The steps of an execution that were reached, by name, the oldest first."""
    found, _ = cloud.store.page(STEP, parent=execution_id, descending=False)
    return {resource.body["StepName"]: resource for resource in found}


def begin_step(cloud: Cloud, run: Resource, name: str, members: dict[str, Any]) -> None:
    """A step is reached: it is Starting. What an earlier try left of it is replaced; its attempts count on."""
    identity = f"{run.name}/{name}"

    def write() -> tuple[Resource | None, Resource]:
        with cloud.store.transaction():
            old = cloud.store.find(STEP, identity)
            cloud.store.delete(STEP, identity)
            body = {
                "StepName": name,
                "StartTime": time.time(),
                "StepStatus": "Starting",
                "AttemptCount": (old.body["AttemptCount"] if old else 0) + 1,
                "PipelineArn": run.body["PipelineArn"],
                "PipelineExecutionArn": run.arn,
                **members,
            }
            arn = f"{run.arn}/{name}"
            return old, cloud.store.insert(STEP, identity, body, arn=arn, parent=run.name, status="Starting")

    old, new = _written(cloud, run.name, write)
    cloud.announce(News(STEP, identity, "Starting", old.status if old else "", new.body))


def change_step(cloud: Cloud, execution_id: str, name: str, status: str | None = None, **members: Any) -> None:
    """Write members of a step, and its status if one is given; a new status is announced."""
    if status in ENDED:
        members.setdefault("EndTime", time.time())
    if members.get("FailureReason"):
        members["FailureReason"] = members["FailureReason"][:STEP_REASON_LENGTH]
    _change(cloud, STEP, f"{execution_id}/{name}", "StepStatus", status, members)


def change_execution(cloud: Cloud, execution_id: str, status: str, **members: Any) -> None:
    """Set the status of an execution and write members of it; a new status is announced."""
    if status not in UNFINISHED:
        members.setdefault("EndTime", time.time())
    if members.get("FailureReason"):
        members["FailureReason"] = members["FailureReason"][:EXECUTION_REASON_LENGTH]
    _change(cloud, EXECUTION, execution_id, "PipelineExecutionStatus", status, members)


def interrupt(cloud: Cloud, execution_id: str, reason: str) -> None:
    """End an execution as Failed (as Stopped, if it was stopping), and its unfinished steps likewise."""
    status = "Stopped" if execution(cloud, execution_id).status == "Stopping" else "Failed"
    for name, step in steps(cloud, execution_id).items():
        if step.status not in ENDED:
            last = step.body.get("FailureReason")  # of one that waited for its next try
            change_step(cloud, execution_id, name, status, FailureReason=f"{reason}; {last}" if last else reason)
    change_execution(cloud, execution_id, status, FailureReason=reason)


def _change(cloud: Cloud, kind: str, name: str, member: str, status: str | None, members: dict[str, Any]) -> None:
    def write() -> tuple[Resource | None, Resource]:
        with cloud.store.transaction():
            old = cloud.store.find(kind, name)
            changes = {**members, **({member: status} if status else {})}
            return old, cloud.store.update(kind, name, changes, status=status)

    old, new = _written(cloud, name.partition("/")[0], write)
    if old and status and old.status != status:
        cloud.announce(News(kind, name, status, old.status, new.body))


def _written(cloud: Cloud, execution_id: str, write: Callable[[], Written]) -> Written:
    """Write, and in the execution's own thread wait for room on a full disk: it could not say how it ended."""
    own = cloud.executions.get(execution_id) is threading.current_thread()
    return cloud.store.insist(write) if own else write()


def remember_success(cloud: Cloud, run: Resource, step: str, digest: str, body: dict[str, Any]) -> None:
    """Keep a success for later executions; a newer one with the same key takes its place."""
    name = f"{run.parent}/{step}/{digest}"

    def write() -> None:
        with cloud.store.transaction():
            cloud.store.delete(CACHE, name)
            cloud.store.insert(CACHE, name, body, arn="", parent=run.parent)

    _written(cloud, run.name, write)


def success(cloud: Cloud, pipeline: str, step: str, digest: str) -> Resource | None:
    """The most recent success of a step of this pipeline with this key."""
    return cloud.store.find(CACHE, f"{pipeline}/{step}/{digest}")


def latest_success(cloud: Cloud, pipeline: str, step: str) -> Resource | None:
    """The most recent success of a step of this pipeline, with whatever key."""
    found, _ = cloud.store.page(CACHE, parent=pipeline, name_contains=f"{pipeline}/{step}/", limit=1)
    return found[0] if found else None


def remember_model(cloud: Cloud, pipeline: str, digest: str, model: str) -> None:
    """Keep which model was made from a request."""
    with cloud.store.transaction():
        cloud.store.delete(MODEL, f"{pipeline}/{digest}")
        cloud.store.insert(MODEL, f"{pipeline}/{digest}", {"ModelName": model}, arn="", parent=pipeline)


def model(cloud: Cloud, pipeline: str, digest: str) -> str | None:
    """The name of the model that a Model step of this pipeline made from this request."""
    found = cloud.store.find(MODEL, f"{pipeline}/{digest}")
    return found.body["ModelName"] if found else None
