"""Batch transform jobs."""

from __future__ import annotations

from functools import partial
from typing import Any

from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import lifecycle, transform
from localcloud.sagemaker.jobs.job_types import TRANSFORM
from localcloud.sagemaker.jobs.transfer import require_objects
from localcloud.sagemaker.models import MODEL, container, containers
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing


@operation("CreateTransformJob")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Check the request and start the job."""
    transform.check(request)
    model = existing(cloud, MODEL, request["ModelName"]).body
    uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    require_objects(cloud.s3, uri, model.get("ExecutionRoleArn", ""), cloud.region)
    served = container(cloud, model)
    for one in containers(served):
        images.program(one.get("Image", ""), "serve")
    isolated = bool(model.get("EnableNetworkIsolation"))
    work = partial(transform.work, container=served, isolated=isolated)
    arn = lifecycle.begin(cloud, TRANSFORM, request, work)
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"TransformJobArn": arn}


@operation("DescribeTransformJob")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The job's record."""
    resource = existing(cloud, TRANSFORM, request["TransformJobName"])
    return {**described(resource)}


@operation("StopTransformJob")
def stop(cloud: Cloud, request: dict[str, Any]) -> None:
    """Ask the job to end; the outputs that are there stay."""
    lifecycle.stop(cloud, TRANSFORM, request["TransformJobName"])


@operation("ListTransformJobs")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Jobs, newest first unless asked otherwise."""
    return page(cloud, request, TRANSFORM.name, described, answer="TransformJobSummaries", descending=True)
