"""Whether a service may assume a role: the role's trust policy, by MiniStack's evaluator."""

from __future__ import annotations

import json
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.services import iam


def role(arn: str) -> dict[str, Any] | None:
    """MiniStack's record of a role, or None when there is none of that ARN."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    found: dict[str, Any] | None = iam._roles.get_scoped(parts[4], None, arn.rpartition("/")[2])
    return found if found and found["Arn"] == arn else None


def trusts(arn: str, service: str, region: str, source: str = "") -> bool:
    """Whether the role is there and lets the service assume it.

    Args:
        service: its principal, such as states.amazonaws.com; the principal of the region counts as well
            (states.us-east-1.amazonaws.com).
        source: ARN of the resource for which the service acts, for conditions on aws:SourceArn.
    """
    found = role(arn)
    if found is None:
        return False
    account = arn.split(":")[4]
    context = EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=arn,
        region=region,
        service_context={"aws:sourceaccount": account, **({"aws:sourcearn": source} if source else {})},
    )
    document = found["AssumeRolePolicyDocument"]
    policy = json.loads(document) if isinstance(document, str) else document
    name, _, domain = service.partition(".")
    decisions = [
        evaluate_resource_policy(policy, context, service=principal).decision
        for principal in (service, f"{name}.{region}.{domain}")
    ]
    return "Allow" in decisions and "Deny" not in decisions
