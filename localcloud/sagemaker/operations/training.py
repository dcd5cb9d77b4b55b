"""Training jobs."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import lifecycle, training
from localcloud.sagemaker.jobs.job_types import TRAINING
from localcloud.sagemaker.jobs.transfer import require_objects
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing


@operation("CreateTrainingJob")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Check the request and start the job."""
    training.check(request)
    for channel in request.get("InputDataConfig", []):
        require_objects(cloud.s3, channel["DataSource"]["S3DataSource"]["S3Uri"], request["RoleArn"], cloud.region)
    arn = lifecycle.begin(cloud, TRAINING, request, training.work)
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"TrainingJobArn": arn}


@operation("DescribeTrainingJob")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The job's record."""
    return described(existing(cloud, TRAINING, request["TrainingJobName"]))


@operation("StopTrainingJob")
def stop(cloud: Cloud, request: dict[str, Any]) -> None:
    """Ask the job to end; what it saved of the model by then is uploaded."""
    lifecycle.stop(cloud, TRAINING, request["TrainingJobName"])


@operation("DeleteTrainingJob")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget a job that has ended."""
    lifecycle.delete(cloud, TRAINING, request["TrainingJobName"])


@operation("ListTrainingJobs")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Jobs, oldest first unless asked otherwise."""
    return page(cloud, request, TRAINING.name, described, answer="TrainingJobSummaries", descending=False)
