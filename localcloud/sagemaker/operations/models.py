"""Models: an image and its model data, or a model package, under a name."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.models import MODEL, container, containers
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import described, existing
from localcloud.sagemaker.store import AlreadyExistsError, Body


@operation("CreateModel")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add a model whose model data is there; its image matters when something starts."""
    name = request["ModelName"]
    arn = cloud.arn(f"model/{name}")
    for one in containers(container(cloud, request)):
        _require_model_data(cloud, one)
    try:
        resource = cloud.store.insert(MODEL.name, name, {**request, "ModelArn": arn}, arn=arn)
    except AlreadyExistsError:
        raise validation(f'Cannot create already existing model "{arn}".') from None
    cloud.store.set_tags(resource.arn, as_dict(request.get("Tags")))
    return {"ModelArn": arn}


@operation("DescribeModel")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The model as it was created."""
    return described(existing(cloud, MODEL, request["ModelName"]))


@operation("ListModels")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Models, newest first unless asked otherwise."""
    return page(cloud, request, MODEL.name, described, answer="Models", descending=True)


@operation("DeleteModel")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget the model; its data stays."""
    cloud.store.delete(MODEL.name, existing(cloud, MODEL, request["ModelName"]).name)


def _require_model_data(cloud: Cloud, container: Body) -> None:
    uri = container.get("ModelDataUrl")
    if not uri:
        return
    bucket, key = split(uri)
    try:
        cloud.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        raise validation(f"Could not find model data at {uri}.") from None
