"""Approvals, read again: before every step that cannot be undone, and before the word "deployed"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lambdas.deploy.endpoint import approved_versions, package_behind
from lambdas.deploy.plan import IN_FLIGHT, DeployPlan, DeploySettings, deadline, group_and_version, next_pause


def withdrawn(plan: DeployPlan, sagemaker: Any, host: DeploySettings) -> DeployPlan | None:
    """Back to the review, with time of its own, when the target is not to go live any more; None when it is.

    That is so when its approval was withdrawn, and when the run brings an older version back in the place of the one
    that the event was about, and that one is approved again: its own event may have found it live still.
    """
    approved = approved_versions(sagemaker, host.group)
    target, own = plan["target_arn"], plan["model_package_arn"]
    if target not in approved:
        reason = f"The approval of {target} was withdrawn."
    elif target != own == approved[0]:
        reason = f"{own} is approved again."
    else:
        return None
    return {"outcome": "withdrawn", "message": reason, "deadline": deadline(), "poll_seconds": next_pause({})}


def unapproved(sagemaker: Any, host: DeploySettings, approved: list[str], configs: Iterable[str | None]) -> list[str]:
    """ARNs of the group's versions that these endpoint configurations serve without being approved."""
    served = {package_behind(sagemaker, config) for config in configs if config}
    return sorted(arn for arn in served if arn and arn not in approved and _of_group(arn, host))


def configs_in_use(live: DeployPlan | None, attached: str | None) -> list[str | None]:
    """The configurations that the endpoint has and will have, and the one that the inference workflow was let in to."""
    if live is None:
        return [attached]
    return [live["EndpointConfigName"], coming(live), attached]


def coming(endpoint: DeployPlan) -> str | None:
    """The configuration that an endpoint in change will have when all goes well; None when none is under way."""
    if endpoint["EndpointStatus"] == "Creating":
        return str(endpoint["EndpointConfigName"])
    if endpoint["EndpointStatus"] not in IN_FLIGHT:
        return None
    pending: str | None = endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return pending


def _of_group(arn: str, host: DeploySettings) -> bool:
    return group_and_version(arn)[0].lower() == host.group.lower()
