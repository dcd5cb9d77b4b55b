"""A role's permissions boundary in a template takes effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from localcloud.corrections import seam

BEHAVIOUR = "The PermissionsBoundary of a role in a template is set, changed and taken away with it."
EVIDENCE = "CloudFormation's template reference, AWS::IAM::Role, PermissionsBoundary: updates without interruption."
MINISTACK = "1.5.33"

KIND = "AWS::IAM::Role"


def _wanted(properties: dict[str, Any]) -> str | None:
    """The boundary's ARN. Raises ValueError when there is no such policy."""
    arn: str | None = properties.get("PermissionsBoundary")
    if arn and iam._boundary_policy_error(arn):
        raise ValueError(f"Scope ARN: {arn} does not exist or is not attachable.")
    return arn


def _of_created(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        wanted = _wanted(props)
        made = original(logical_id, props, stack_name)
        iam._roles[made[0]]["PermissionsBoundary"] = wanted
        return made

    return create


def _of_updated(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> Any:
        wanted = _wanted(new_props)
        made = original(physical_id, old_props, new_props, stack_name, logical_id)
        iam._roles[made[0]]["PermissionsBoundary"] = wanted
        return made

    return update


def apply() -> None:
    """Raises SeamError when MiniStack makes roles in another way."""
    created = ("logical_id", "props", "stack_name")
    updated = ("physical_id", "old_props", "new_props", "stack_name", "logical_id")
    seam.replace(__name__, provisioners, "_iam_role_create", *created, by=_of_created)
    seam.replace(__name__, provisioners, "_iam_role_update", *updated, by=_of_updated)
    handlers = provisioners._RESOURCE_HANDLERS[KIND]
    handlers["create"], handlers["update"] = provisioners._iam_role_create, provisioners._iam_role_update
