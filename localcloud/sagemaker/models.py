"""What a model is served with: its container, or the one in the model package that it names."""

from __future__ import annotations

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.resources import ResourceType, existing
from localcloud.sagemaker.store import Body

MODEL = ResourceType("Model", "model", 'Could not find model "{arn}".')
MODEL_PACKAGE = ResourceType("ModelPackage", "model-package", "ModelPackage {arn} does not exist.")
"""Its name is `<group>/<version>`, or that of a package without a group."""


def container(cloud: Cloud, model: Body, *, approved: bool = True) -> Body:
    """The container that a model is served with; in place of a model package, the container that it holds.

    Without `approved` the package of a model that was made while it was approved may have been rejected since.

    Raises:
        ServiceError: ValidationException; there is not exactly one, or its package is not approved.
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
    return only


def _packaged(cloud: Cloud, name: str, approved: bool) -> Body:
    package = existing(cloud, MODEL_PACKAGE, name)
    if approved and package.status and package.status != "Approved":
        raise validation(f"Cannot create a model from {package.arn}: its ModelApprovalStatus is {package.status}.")
    containers = package.body.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise validation(f"{package.arn} has {len(containers)} containers; the local SageMaker serves one.")
    found: Body = containers[0]
    return found
