"""Step undo: a failed run removes what it made and leaves, or brings back, what was live before.

Called again and again until it answers undone or stuck: every call looks at what is true and takes the next step.
"""

from __future__ import annotations

from typing import Any

from lambdas.deploy.approval import unapproved
from lambdas.deploy.endpoint import approved_versions, described_endpoint
from lambdas.deploy.plan import IN_FLIGHT, DeployPlan, DeploySettings, deadline, expired, next_pause
from lambdas.deploy.rollback_alarms import delete_alarms
from lambdas.deploy.scaling import restore, retained
from lambdas.outcomes import FailedError, RetryableError
from lambdas.service_errors import calling


def undo(
    plan: DeployPlan, sagemaker: Any, ssm: Any, autoscaling: Any, cloudwatch: Any, host: DeploySettings
) -> DeployPlan:
    """The next step back: wait, undone, stuck when the endpoint cannot be brought back.

    Or remove, when what it would serve is not approved any more: no deployment's failure keeps that live.
    """
    kept = _reason(plan) | {"undo_deadline": plan.get("undo_deadline") or deadline()}
    kept["poll_seconds"] = next_pause(plan)
    if "config" not in plan:
        return kept | {"outcome": "undone"}  # it failed before anything was made
    try:
        outcome = _take_next_step(plan, sagemaker, cloudwatch, host, expired(kept["undo_deadline"]))
        if outcome == "undone" and described_endpoint(sagemaker, plan["endpoint"]):
            restore(plan["endpoint"], autoscaling, ssm, host)  # the update may have ended its registration
        return kept | {"outcome": outcome}
    except RetryableError:
        return kept | {"outcome": "stuck" if expired(kept["undo_deadline"]) else "wait"}
    except FailedError as error:
        return kept | {"outcome": "stuck", "undo_problem": error.problem}


def _take_next_step(plan: DeployPlan, sagemaker: Any, cloudwatch: Any, host: DeploySettings, late: bool) -> str:
    live = described_endpoint(sagemaker, plan["endpoint"])
    if live and live["EndpointStatus"] in IN_FLIGHT:
        return "stuck" if late else "wait"
    approved = approved_versions(sagemaker, host.group)
    if live and live["EndpointConfigName"] == plan["config"]:
        return _take_off(plan, sagemaker, host, approved)
    with calling(f"removing what the failed deployment of {plan['target_arn']} made"):
        if "config" in plan["made"]:
            sagemaker.delete_endpoint_config(EndpointConfigName=plan["config"])
        if "model" in plan["made"]:
            sagemaker.delete_model(ModelName=plan["model"])
    delete_alarms(cloudwatch, plan["config"])
    kept = [live["EndpointConfigName"]] if live else []
    return "remove" if unapproved(sagemaker, host, approved, kept) else "undone"


def _take_off(plan: DeployPlan, sagemaker: Any, host: DeploySettings, approved: list[str]) -> str:
    """The endpoint uses this run's configuration: back to the one before; an endpoint that never served goes."""
    if plan.get("previous_config"):
        if unapproved(sagemaker, host, approved, [plan["previous_config"]]):
            return "remove"
        with calling(f"bringing {plan['previous_config']} back to endpoint {plan['endpoint']}"):
            asked = {"EndpointName": plan["endpoint"], "EndpointConfigName": plan["previous_config"]}
            sagemaker.update_endpoint(**asked, **retained(host))
        return "wait"
    if plan.get("created_endpoint"):
        with calling(f"deleting endpoint {plan['endpoint']}, which never came to serve anybody"):
            sagemaker.delete_endpoint(EndpointName=plan["endpoint"])
        return "wait"
    # It was live before this run began.
    return "remove" if unapproved(sagemaker, host, approved, [plan["config"]]) else "undone"


def _reason(plan: DeployPlan) -> DeployPlan:
    """`error` and `cause` of the failure: the step's own, or those of a crash that the state machine caught."""
    crash = plan.get("failure")
    if isinstance(crash, dict):
        return {"error": str(crash.get("Error", "Unknown")), "cause": str(crash.get("Cause", ""))[:4000]}
    return {"error": plan.get("error", "Unknown"), "cause": plan.get("cause", "No cause was recorded.")}
