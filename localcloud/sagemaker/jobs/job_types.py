"""The three kinds of job: what their records call things, and a training job's secondary status."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.sagemaker.jobs.interruption import MAX_RUNTIME_EXCEEDED
from localcloud.sagemaker.resources import ResourceType
from localcloud.sagemaker.store import Body

UNFINISHED = ("InProgress", "Stopping")

STATUS_MESSAGES = {
    "Starting": "Preparing the job's folder",
    "Downloading": "Downloading input data",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def nothing_more(record: Body, status: str, changes: Body) -> Body:
    """For kinds whose record has nothing that follows from the status."""
    return {}


@dataclass(frozen=True, kw_only=True)
class JobType(ResourceType):
    """What differs between the kinds of job.

    Attributes:
        stage: prefix of the times in the record, such as "Processing".
        taken: what it says when there is already one of that name; the ARN follows in brackets.
        follow: (record, new status, other changes) to what else changes in the record.
    """

    stage: str
    taken: str
    follow: Callable[[Body, str, Body], Body] = nothing_more

    @property
    def status(self) -> str:
        return f"{self.name}Status"

    @property
    def words(self) -> str:
        return f"{self.stage.lower()} job"


def secondary(record: Body, status: str, message: str = "") -> Body:
    """The changes that give a training job's record a new secondary status; the transition before it ends now."""
    now = time.time()
    earlier = [{"EndTime": now, **transition} for transition in record.get("SecondaryStatusTransitions", [])]
    latest = {"Status": status, "StartTime": now, "StatusMessage": message or STATUS_MESSAGES[status]}
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*earlier, latest]}


def _training_follow(record: Body, status: str, changes: Body) -> Body:
    if status == "InProgress":
        return secondary(record, "Starting")
    if status == "Stopping":
        return secondary(record, "Stopping")
    reason = changes.get("FailureReason", "")
    detail = MAX_RUNTIME_EXCEEDED if status == "Stopped" and reason.startswith(MAX_RUNTIME_EXCEEDED) else status
    follow = secondary(record, detail, f"Training job failed: {reason}" if status == "Failed" else "")
    follow["SecondaryStatusTransitions"][-1]["EndTime"] = follow["SecondaryStatusTransitions"][-1]["StartTime"]
    end = changes["TrainingEndTime"]
    seconds = max(1, math.ceil(end - record.get("TrainingStartTime", end)))
    return {**follow, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}


PROCESSING = JobType(
    name="ProcessingJob",
    arn="processing-job",
    stage="Processing",
    missing="Could not find requested job with name: {name}",
    taken="Job name must be unique within an AWS account and region, and a job with this name already exists",
)
TRAINING = JobType(
    name="TrainingJob",
    arn="training-job",
    stage="Training",
    missing="Requested resource not found.",
    taken=(
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        "already exists"
    ),
    follow=_training_follow,
)
TRANSFORM = JobType(
    name="TransformJob",
    arn="transform-job",
    stage="Transform",
    missing="Could not find requested job with name: {name}",
    taken="Job name must be unique within an AWS account and region, and a job with this name already exists",
)
KINDS = (PROCESSING, TRAINING, TRANSFORM)
