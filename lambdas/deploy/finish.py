"""Steps smoke_test, attach and confirm: a known picture is answered, the workflow let in, the approval read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lambdas import configuration
from lambdas.classify_image.endpoint import classify, inference_id
from lambdas.deploy.approval import withdrawn
from lambdas.deploy.attached import write_attached
from lambdas.deploy.endpoint import described_endpoint
from lambdas.deploy.plan import DeployPlan, DeploySettings
from lambdas.deploy.rollback_alarms import said_of_standing
from lambdas.outcomes import FailedError, OutcomeError
from lambdas.service_errors import calling

KNOWN_PICTURE = Path(__file__).with_name("known_picture.png")  # a drawn bicycle, 32x32 RGB


def smoke_test(plan: DeployPlan, runtime: Any) -> DeployPlan:
    """The endpoint answers a known picture with one probability per class.

    The contract is tested, not the accuracy: that is the quality gate's business, on a whole test set. The record
    that data capture makes of it carries an inference id that starts with `smoke/`.

    Raises:
        FailedError: SmokeTestFailed, with what the endpoint did instead.
    """
    name, classes = inference_id("smoke", plan["config"]), configuration.classes()
    try:
        found = classify(runtime, plan["endpoint"], KNOWN_PICTURE.read_bytes(), "image/png", name, len(classes))
    except OutcomeError as error:
        raise FailedError("SmokeTestFailed", error.problem) from error
    return {"outcome": "ok", "smoke_test": dict(zip(classes, found.inferences, strict=True))}


def attach(plan: DeployPlan, sagemaker: Any, ssm: Any, events: Any, host: DeploySettings) -> DeployPlan:
    """Let the inference workflow use the version: arriving pictures start it, and SSM says which version answers."""
    live = described_endpoint(sagemaker, plan["endpoint"])
    if live is None or live["EndpointConfigName"] != plan["config"]:
        return {"outcome": "superseded", "message": f"Endpoint {plan['endpoint']} was changed by a later run."}
    if back := withdrawn(plan, sagemaker, host):
        return back
    rule = configuration.required("INCOMING_RULE")
    with calling(f"enabling rule {rule}"):
        events.enable_rule(Name=rule)
    write_attached(ssm, plan)
    message = f"Version {plan['version']} of {host.group} is live on endpoint {plan['endpoint']}."
    message += plan.get("scaling", "")
    message += said_of_standing(plan)
    if plan.get("leftover"):
        message += f" To be deleted by hand (scones cleanup lists it): {plan['leftover']}"
    return {"outcome": "ok", "message": message}


def confirm(plan: DeployPlan, sagemaker: Any, host: DeploySettings) -> DeployPlan:
    """The last look at the approval: ok, unwatched when the monitor could not be attached, withdrawn, superseded."""
    if back := withdrawn(plan, sagemaker, host):
        return back
    if plan["outcome"] == "superseded":
        return {}
    return {"outcome": "ok" if plan["outcome"] == "ok" and not plan.get("failure") else "unwatched"}
