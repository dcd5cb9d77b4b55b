"""What a model is served with: its containers, or those in the model package that it names."""

from __future__ import annotations

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.resources import ResourceType, existing
from localcloud.sagemaker.store import Body

MODEL = ResourceType("Model", "model", 'Could not find model "{arn}".')
MODEL_PACKAGE = ResourceType("ModelPackage", "model-package", "ModelPackage {arn} does not exist.")
"""Its name is `<group>/<version>`, or that of a package without a group."""
THEN = "Then"
"""Our own member of a container: those that answer after it, each what the one before has answered."""
MOST_CONTAINERS = 15
"""Of an inference pipeline: "Inference pipelines" in the developer guide."""


def container(cloud: Cloud, model: Body, *, approved: bool = True) -> Body:
    """The container that a model is served with, and `Then` the others of an inference pipeline, in order.

    A model package stands for the containers that it holds. Without `approved` the package of a model that was made
    while it was approved may have been rejected since.

    Raises:
        ServiceError: ValidationException; there is none or too many, or a package is not approved.
    """
    listed = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else model.get("Containers", [])
    if model.get("InferenceExecutionConfig", {}).get("Mode", "Serial") != "Serial":
        raise validation(
            "The local SageMaker runs a model's containers as a pipeline: InferenceExecutionConfig Serial."
        )
    whole = [single for one in listed for single in _singles(cloud, one, approved)]
    if not 1 <= len(whole) <= MOST_CONTAINERS:
        raise validation(f"A model has 1 to {MOST_CONTAINERS} containers, and this one has {len(whole)}.")
    first, *others = whole
    return {**first, THEN: others} if others else first


def containers(first: Body) -> list[Body]:
    """All containers of what `container` gave, in order."""
    return [first, *first.get(THEN, [])]


def _singles(cloud: Cloud, listed: Body, approved: bool) -> list[Body]:
    found = [listed]
    if "ModelPackageName" in listed:
        own = listed.get("Environment", {})
        packaged = _packaged(cloud, listed["ModelPackageName"], approved)
        found = [{**one, "Environment": {**one.get("Environment", {}), **own}} for one in packaged]
    for one in found:
        if one.get("ModelDataSource") or one.get("Mode", "SingleModel") != "SingleModel":
            raise validation(
                "The local SageMaker takes a model's data from ModelDataUrl, and does Mode SingleModel only."
            )
    return found


def _packaged(cloud: Cloud, name: str, approved: bool) -> list[Body]:
    package = existing(cloud, MODEL_PACKAGE, name)
    if approved and package.status and package.status != "Approved":
        raise validation(f"Cannot create a model from {package.arn}: its ModelApprovalStatus is {package.status}.")
    found: list[Body] = package.body.get("InferenceSpecification", {}).get("Containers", [])
    if not found:
        raise validation(f"{package.arn} has no containers.")
    return found
