"""Step remove: no approved version can take the place of the one that lost its approval, so nothing stays live.

Called again and again until it does not answer wait: every call looks at what is true and takes the next step.
"""

from __future__ import annotations

from typing import Any

from lambdas.deploy.approval import configs_in_use, unapproved
from lambdas.deploy.attached import attached_config, forget_attached
from lambdas.deploy.endpoint import approved_versions, described_endpoint
from lambdas.deploy.plan import IN_FLIGHT, DeployPlan, DeploySettings, deadline, expired, next_pause
from lambdas.outcomes import FailedError
from lambdas.service_errors import calling


def remove(plan: DeployPlan, sagemaker: Any, ssm: Any, host: DeploySettings) -> DeployPlan:
    """Let nothing in, then delete the endpoint: wait, removed, or superseded when there is no reason to any more.

    Raises:
        FailedError: DeployTimedOut, or what SageMaker refuses; after a failed deployment always, with its error.
    """
    until = plan.get("remove_deadline") or deadline()
    kept: DeployPlan = {"outcome": "wait", "remove_deadline": until, "poll_seconds": next_pause(plan)}
    live = described_endpoint(sagemaker, host.endpoint)
    if live and live["EndpointStatus"] in IN_FLIGHT:
        if expired(until):
            raise FailedError("DeployTimedOut", f"Endpoint {host.endpoint} is still {live['EndpointStatus']}.")
        return kept
    approved, attached = approved_versions(sagemaker, host.group), attached_config(ssm)
    let_in = unapproved(sagemaker, host, approved, [attached])
    served = _unwanted_on(live, plan, unapproved(sagemaker, host, approved, configs_in_use(live, None)))
    if not let_in and not served:
        return _ended(plan, host)
    if let_in:
        forget_attached(ssm)
    if served:
        _delete(sagemaker, host)
    return {**kept, "removed": sorted({*let_in, *served, *plan.get("removed", [])})}


def _unwanted_on(live: DeployPlan | None, plan: DeployPlan, served: list[str]) -> list[str]:
    """What is to go from the endpoint: a version without approval, or one that failed and has nothing to go back to."""
    if live and "undo_deadline" in plan and live["EndpointConfigName"] == plan["config"]:
        return [plan["target_arn"]]
    return served


def _ended(plan: DeployPlan, host: DeploySettings) -> DeployPlan:
    if not plan.get("removed"):
        return {"outcome": "superseded", "message": f"Endpoint {host.endpoint} was changed by a later run."}
    gone = f"endpoint {host.endpoint} is deleted, and nothing is live"
    if "undo_deadline" in plan:
        problem = f"{plan['target_arn']} could not be deployed in the place of a version that is not approved: {gone}."
        raise FailedError(plan["error"], problem)
    lost = ", ".join(plan["removed"])
    return {"outcome": "removed", "message": f"{lost} is not approved, and no other version can be live: {gone}."}


def _delete(sagemaker: Any, host: DeploySettings) -> None:
    try:
        with calling(f"deleting endpoint {host.endpoint}"):
            sagemaker.delete_endpoint(EndpointName=host.endpoint)
    except FailedError:
        live = described_endpoint(sagemaker, host.endpoint)
        if live and live["EndpointStatus"] not in IN_FLIGHT:
            raise  # otherwise another run was faster by a moment
