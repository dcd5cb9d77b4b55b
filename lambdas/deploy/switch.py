"""Steps apply and check: point the endpoint at the new configuration, then look at its state until it serves that."""

from __future__ import annotations

from typing import Any

from lambdas import configuration
from lambdas.deploy.approval import withdrawn
from lambdas.deploy.endpoint import described_config, described_endpoint
from lambdas.deploy.plan import IN_FLIGHT, DeployPlan, DeploySettings, expired, next_pause
from lambdas.deploy.rollback_alarms import (
    create_alarms,
    delete_alarms,
    endpoint_alarms,
    ringing,
    rollback_alarms,
    said_of_standing,
)
from lambdas.deploy.scaling import release, retained
from lambdas.outcomes import FailedError, OutcomeError, RetryableError
from lambdas.service_errors import calling


def apply(plan: DeployPlan, sagemaker: Any, autoscaling: Any, cloudwatch: Any, host: DeploySettings) -> DeployPlan:
    """Create the endpoint or update it; `busy` when another run is changing it, `withdrawn` when it must not be."""
    live = described_endpoint(sagemaker, plan["endpoint"])
    if live and live["EndpointStatus"] in IN_FLIGHT:
        return _later("busy", plan)
    if back := withdrawn(plan, sagemaker, host):
        return back
    if live and live["EndpointConfigName"] == plan["config"] and live["EndpointStatus"] == "InService":
        return {"outcome": "ok"}
    try:
        with calling(f"pointing endpoint {plan['endpoint']} at {plan['config']}"):
            return _point_endpoint(plan, sagemaker, autoscaling, cloudwatch, host, live)
    except FailedError:
        if _somebody_else_is_faster(plan, sagemaker):
            return _later("busy", plan)
        raise


def check(plan: DeployPlan, sagemaker: Any, cloudwatch: Any, host: DeploySettings) -> DeployPlan:
    """Whether the endpoint serves what was asked for: ok, wait, superseded; withdrawn when that is not wanted any more.

    SageMaker refuses to update an endpoint in change, so an approval that is withdrawn meanwhile acts when it settled.

    Raises:
        FailedError: RolledBack (in service, with the old configuration: SageMaker does not call that a failure),
            EndpointFailed, EndpointDeleted, DeployTimedOut.
    """
    late = expired(plan["deadline"])
    try:
        live = described_endpoint(sagemaker, plan["endpoint"])
    except RetryableError:
        if late:
            raise
        return _later("wait", plan)
    if live and live["EndpointStatus"] in IN_FLIGHT:
        if late:
            raise FailedError("DeployTimedOut", f"Endpoint {plan['endpoint']} is still {live['EndpointStatus']}.")
        return _later("wait", plan)
    found = withdrawn(plan, sagemaker, host) or _settled(plan, cloudwatch, live)
    return {**found, **_alarms_gone(plan, cloudwatch)}  # after a failure the step undo deletes them


def _settled(plan: DeployPlan, cloudwatch: Any, live: DeployPlan | None) -> DeployPlan:
    if live is None:
        raise FailedError("EndpointDeleted", f"Endpoint {plan['endpoint']} was deleted while it was being deployed.")
    status, reason = live["EndpointStatus"], live.get("FailureReason") or "no reason given"
    if status != "InService":
        raise FailedError("EndpointFailed", f"Endpoint {plan['endpoint']} is {status}: {reason}.")
    if live["EndpointConfigName"] == plan["config"]:
        return {"outcome": "ok"}
    if live["EndpointConfigName"] == plan.get("previous_config"):
        why = _why_rolled_back(plan, cloudwatch)
        problem = f"Endpoint {plan['endpoint']} went back to {live['EndpointConfigName']}: {reason.rstrip('.')}.{why}"
        raise FailedError("RolledBack", problem)
    return {"outcome": "superseded", "message": f"A later run deployed {live['EndpointConfigName']}."}


def deployment_config(host: DeploySettings, config: str) -> dict[str, Any]:
    """Blue/green: a canary of one instance when there are two or more, else all at once; both watched while baking."""
    bake = configuration.whole("BAKE_SECONDS", 120, least=0)
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake}
    if host.instance_count >= 2:
        routing |= {"Type": "CANARY", "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}
    policy = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": min(bake, 60),
        "MaximumExecutionTimeoutInSeconds": max(1800, 2 * bake),
    }
    watched = [{"AlarmName": name} for name in rollback_alarms(config)]
    return {"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": {"Alarms": watched}}


def _later(outcome: str, plan: DeployPlan) -> DeployPlan:
    return {"outcome": outcome, "poll_seconds": next_pause(plan)}


def _point_endpoint(
    plan: DeployPlan,
    sagemaker: Any,
    autoscaling: Any,
    cloudwatch: Any,
    host: DeploySettings,
    live: DeployPlan | None,
) -> DeployPlan:
    asked = {"EndpointName": plan["endpoint"], "EndpointConfigName": plan["config"]}
    if live is None:
        sagemaker.create_endpoint(**asked)
        return {"outcome": "ok", "created_endpoint": True}
    if live["EndpointStatus"] == "Failed":
        # It never came into service, so nothing is live; SageMaker can delete it, but not update it.
        sagemaker.delete_endpoint(EndpointName=plan["endpoint"])
        return _later("busy", plan)
    standing = ringing(cloudwatch, endpoint_alarms())
    create_alarms(cloudwatch, plan["endpoint"], plan["config"])
    guarded = deployment_config(host, plan["config"])
    release(plan, live, sagemaker, autoscaling, host)
    sagemaker.update_endpoint(**asked, **retained(host), DeploymentConfig=guarded)
    return {"outcome": "ok", "previous_config": live["EndpointConfigName"], "standing_alarms": standing}


def _alarms_gone(plan: DeployPlan, cloudwatch: Any) -> DeployPlan:
    """No alarm of a settled update is left. One that cannot be deleted is told: no good deployment ends for it."""
    try:
        delete_alarms(cloudwatch, plan["config"])
    except OutcomeError as error:
        return {"leftover": error.problem}
    return {}


def _why_rolled_back(plan: DeployPlan, cloudwatch: Any) -> str:
    """Which of the new fleet's alarms rang, and which of the endpoint's stood before the deployment began."""
    try:
        rang = ringing(cloudwatch, rollback_alarms(plan["config"]))
    except OutcomeError as error:
        return f" Its alarms could not be looked at: {error.problem}.{said_of_standing(plan)}"
    told = f" Alarm {', '.join(rang)} rings: the new fleet failed." if rang else ""
    return f"{told}{said_of_standing(plan)}"


def _somebody_else_is_faster(plan: DeployPlan, sagemaker: Any) -> bool:
    """Between looking and acting another run began to change the endpoint, or undid what it shared with this one."""
    if expired(plan["deadline"]):
        return False
    live = described_endpoint(sagemaker, plan["endpoint"])
    changing = live is not None and live["EndpointStatus"] in IN_FLIGHT
    return changing or described_config(sagemaker, plan["config"]) is None
