"""Processing jobs."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import lifecycle, processing
from localcloud.sagemaker.jobs.job_types import PROCESSING
from localcloud.sagemaker.jobs.transfer import require_objects
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing


@operation("CreateProcessingJob")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Check the request and start the job."""
    processing.check(request)
    for item in request.get("ProcessingInputs", []):
        if not item.get("AppManaged"):
            require_objects(cloud.s3, item["S3Input"]["S3Uri"], request["RoleArn"], cloud.region)
    arn = lifecycle.begin(cloud, PROCESSING, request, processing.work)
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"ProcessingJobArn": arn}


@operation("DescribeProcessingJob")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The job's record."""
    return described(existing(cloud, PROCESSING, request["ProcessingJobName"]))


@operation("StopProcessingJob")
def stop(cloud: Cloud, request: dict[str, Any]) -> None:
    """Ask the job to end."""
    lifecycle.stop(cloud, PROCESSING, request["ProcessingJobName"])


@operation("DeleteProcessingJob")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget a job that has ended."""
    lifecycle.delete(cloud, PROCESSING, request["ProcessingJobName"])


@operation("ListProcessingJobs")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Jobs, oldest first unless asked otherwise."""
    return page(cloud, request, PROCESSING.name, described, answer="ProcessingJobSummaries", descending=False)
