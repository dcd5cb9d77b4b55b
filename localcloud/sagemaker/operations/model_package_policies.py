"""Resource policies of model package groups: kept and given back. Nobody of another account can ask here."""

from __future__ import annotations

from typing import Any

from localcloud.contract import strict_json
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.operations.model_package_groups import GROUP
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import existing


@operation("PutModelPackageGroupPolicy")
def put(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Give a group its policy, in place of another."""
    group = existing(cloud, GROUP, request["ModelPackageGroupName"])
    try:
        policy = strict_json.loads(request["ResourcePolicy"])
    except ValueError as error:
        raise validation(f"ResourcePolicy is not JSON: {error}.") from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise validation("ResourcePolicy has no Statement.")
    cloud.store.update(GROUP.name, group.name, {"ResourcePolicy": request["ResourcePolicy"]})
    return {"ModelPackageGroupArn": group.arn}


@operation("GetModelPackageGroupPolicy")
def get(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """A group's policy."""
    group = existing(cloud, GROUP, request["ModelPackageGroupName"])
    policy = group.body.get("ResourcePolicy")
    if not policy:
        raise validation(f"Cannot find resource policy for {group.arn}.")
    return {"ResourcePolicy": policy}


@operation("DeleteModelPackageGroupPolicy")
def delete(cloud: Cloud, request: dict[str, Any]) -> None:
    """Take a group's policy away."""
    group = existing(cloud, GROUP, request["ModelPackageGroupName"])
    cloud.store.update(GROUP.name, group.name, {"ResourcePolicy": None})
