"""Model package groups: the registry's shelves, one per model."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import conflict, validation
from localcloud.sagemaker.models import MODEL_PACKAGE
from localcloud.sagemaker.operations.listing import page
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import ResourceType, described, existing
from localcloud.sagemaker.store import AlreadyExistsError

GROUP = ResourceType("ModelPackageGroup", "model-package-group", "ModelPackageGroup {arn} does not exist.")


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
        cloud.store.insert(GROUP.name, name, body, arn=arn, status="Completed")
    except AlreadyExistsError:
        raise validation(f"Model Package Group already exists: {arn}") from None
    cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"ModelPackageGroupArn": arn}


@operation("DescribeModelPackageGroup")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The group, by name or ARN."""
    return described(existing(cloud, GROUP, request["ModelPackageGroupName"]))


@operation("ListModelPackageGroups")
def listing(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Groups, oldest first unless asked otherwise."""
    return page(cloud, request, GROUP.name, described, answer="ModelPackageGroupSummaryList", descending=False)


@operation("DeleteModelPackageGroup")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Forget an empty group."""
    with cloud.store.transaction():
        group = existing(cloud, GROUP, request["ModelPackageGroupName"])
        if cloud.store.page(MODEL_PACKAGE.name, parent=group.name, limit=1)[0]:
            raise conflict(f"Model Package Group {group.arn} cannot be deleted: it still holds model packages.")
        cloud.store.delete(GROUP.name, group.name)
