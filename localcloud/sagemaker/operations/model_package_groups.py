"""Model package groups: the registry's shelves, one per model."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import conflict, validation
from localcloud.sagemaker.operations import operation
from localcloud.sagemaker.operations.listing import page, times
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.store import AlreadyExistsError, Resource

KIND = "ModelPackageGroup"


@operation("CreateModelPackageGroup")
def create(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add an empty group; `LastVersion` in its record is the last version number given out."""
    name = request["ModelPackageGroupName"]
    arn = cloud.arn(f"model-package-group/{name}")
    body = {
        **request,
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupStatus": "Completed",
        "CreatedBy": {},
        "LastVersion": 0,
    }
    try:
        cloud.store.insert(KIND, name, body, arn=arn, status="Completed")
    except AlreadyExistsError:
        raise validation(f"Model Package Group already exists: {arn}") from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"ModelPackageGroupArn": arn}


@operation("DescribeModelPackageGroup")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The group, by name or ARN."""
    return _summary(existing(cloud, request["ModelPackageGroupName"]))


@operation("ListModelPackageGroups")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Groups, oldest first unless asked otherwise."""
    return page(cloud, request, KIND, _summary, answer="ModelPackageGroupSummaryList", descending=False)


@operation("DeleteModelPackageGroup")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget an empty group."""
    with cloud.store.transaction():
        group = existing(cloud, request["ModelPackageGroupName"])
        if cloud.store.page("ModelPackage", parent=group.name, limit=1)[0]:
            raise conflict(f"Model Package Group {group.arn} cannot be deleted: it still holds model packages.")
        cloud.store.delete(KIND, group.name)


def existing(cloud: Cloud, name_or_arn: str) -> Resource:
    """The group of that name or ARN.

    Raises:
        ServiceError: ValidationException; there is none.
    """
    arn = name_or_arn if name_or_arn.startswith("arn:") else cloud.arn(f"model-package-group/{name_or_arn}")
    found = cloud.store.find_arn(arn)
    if found is None or found.kind != KIND:
        raise validation(f"ModelPackageGroup {arn} does not exist.")
    return found


def _summary(resource: Resource) -> dict[str, Any]:
    return {**resource.body, **times(resource)}
