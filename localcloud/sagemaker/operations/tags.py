"""Tags of any resource."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError, not_found, validation
from localcloud.sagemaker.registry import operation

MOST = 50
"""Tags of a resource; API reference, AddTags and its ResourceLimitExceeded."""
RESERVED = "aws:"
"""Tagging best practices: "The aws: prefix is reserved for AWS use"; whatever its case."""


def as_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """`[{"Key": k, "Value": v}]` as `{k: v}`.

    Raises:
        ServiceError: a key is AWS's own.
    """
    for tag in tags or []:
        if tag["Key"].lower().startswith(RESERVED):
            raise validation(f"The tag key {tag['Key']} begins with {RESERVED}, which is reserved for AWS.")
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _existing(cloud: Cloud, arn: str) -> str:
    if cloud.store.find_arn(arn) is None:
        raise not_found(f"The resource {arn} does not exist.")
    return arn


@operation("AddTags")
def add_tags(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Add or replace tags; the answer holds all of them."""
    arn = _existing(cloud, request["ResourceArn"])
    added = as_dict(request["Tags"])
    if (number := len(cloud.store.tags(arn) | added)) > MOST:
        raise ServiceError("ResourceLimitExceeded", f"{arn} would have {number} tags, and may have {MOST}.")
    cloud.store.set_tags(arn, added)
    return {"Tags": _as_list(cloud.store.tags(arn))}


@operation("ListTags")
def list_tags(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """All tags; at most 50 can be set, so there is one page."""
    return {"Tags": _as_list(cloud.store.tags(_existing(cloud, request["ResourceArn"])))}


@operation("DeleteTags")
def delete_tags(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key."""
    cloud.store.delete_tags(_existing(cloud, request["ResourceArn"]), request["TagKeys"])
    return {}
