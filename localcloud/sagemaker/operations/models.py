"""Models: an image and its model data, or a model package, under a name."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.sagemaker import images
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.operations import operation
from localcloud.sagemaker.operations.listing import page, times
from localcloud.sagemaker.operations.model_packages import existing as existing_package
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.store import AlreadyExistsError, Body, Resource

KIND = "Model"


@operation("CreateModel")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add a model whose image can serve here and whose model data is there."""
    name = request["ModelName"]
    arn = cloud.arn(f"model/{name}")
    _require_model_data(cloud, container(cloud, request))
    try:
        resource = cloud.store.insert(KIND, name, {**request, "ModelArn": arn}, arn=arn)
    except AlreadyExistsError:
        raise validation(f'Cannot create already existing model "{arn}".') from None
    cloud.store.set_tags(resource.arn, as_dict(request.get("Tags")))
    return {"ModelArn": arn}


@operation("DescribeModel")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The model as it was created."""
    resource = existing(cloud, request["ModelName"])
    return {"EnableNetworkIsolation": False, **resource.body, **times(resource)}


@operation("ListModels")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Models, newest first unless asked otherwise."""
    return page(cloud, request, KIND, _summary, answer="Models", descending=True)


@operation("DeleteModel")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget the model; its data stays."""
    cloud.store.delete(KIND, existing(cloud, request["ModelName"]).name)


def _summary(resource: Resource) -> dict[str, Any]:
    return {**resource.body, **times(resource)}


def existing(cloud: Cloud, name: str) -> Resource:
    """The model of that name.

    Raises:
        ServiceError: ValidationException; there is none.
    """
    found = cloud.store.find(KIND, name)
    if found is None:
        raise validation(f'Could not find model "{cloud.arn(f"model/{name}")}".')
    return found


def container(cloud: Cloud, model: Body, *, approved: bool = True) -> Body:
    """The container that a model is served with; in place of a model package, the container that it holds.

    Without `approved` the package of a model that was made while it was approved may have been rejected since.

    Raises:
        ServiceError: ValidationException; there is not exactly one, no local program serves its image, or its package
            is not approved.
    """
    containers = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else model.get("Containers", [])
    if len(containers) != 1:
        raise validation(f"A model has one container in the local SageMaker, and this one has {len(containers)}.")
    only: Body = containers[0]
    if "ModelPackageName" in only:
        packaged = _packaged(cloud, only["ModelPackageName"], approved)
        only = {**packaged, "Environment": {**packaged.get("Environment", {}), **only.get("Environment", {})}}
    if only.get("ModelDataSource") or only.get("Mode", "SingleModel") != "SingleModel":
        raise validation("The local SageMaker takes a model's data from ModelDataUrl, and does Mode SingleModel only.")
    images.program(only.get("Image", ""), "serve")
    return only


def _packaged(cloud: Cloud, name: str, approved: bool) -> Body:
    package = existing_package(cloud, name)
    if approved and package.status and package.status != "Approved":
        raise validation(f"Cannot create a model from {package.arn}: its ModelApprovalStatus is {package.status}.")
    containers = package.body.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise validation(f"{package.arn} has {len(containers)} containers; the local SageMaker serves one.")
    found: Body = containers[0]
    return found


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
