"""Lambda function Deploy: `{"step", "plan"}` in, the plan after that step out.

One function for all steps: they share a role, and the second step finds the execution environment warm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdas import clients, telemetry
from lambdas.deploy.create import create_config, create_model
from lambdas.deploy.finish import attach, confirm, smoke_test
from lambdas.deploy.plan import DeployPlan, hosting
from lambdas.deploy.remove import remove
from lambdas.deploy.review import review
from lambdas.deploy.scaling import restore, scaled
from lambdas.deploy.switch import apply, check
from lambdas.deploy.undo import undo
from lambdas.outcomes import OutcomeError

SMOKE_ATTEMPTS = 4
ENDED_BADLY = {"failed", "undone", "stuck"}
STEPS: dict[str, Callable[[DeployPlan], DeployPlan]] = {
    "review": lambda plan: review(plan, clients.sagemaker(), clients.ssm(), hosting()),
    "create_model": lambda plan: create_model(plan, clients.sagemaker(), hosting()),
    "create_config": lambda plan: create_config(plan, clients.sagemaker(), hosting()),
    "apply": lambda plan: apply(plan, clients.sagemaker(), clients.autoscaling(), clients.cloudwatch(), hosting()),
    "check": lambda plan: check(plan, clients.sagemaker(), clients.cloudwatch(), hosting()),
    "smoke_test": lambda plan: smoke_test(plan, clients.runtime(SMOKE_ATTEMPTS)),
    "attach": lambda plan: attach(
        scaled(plan, clients.autoscaling(), clients.ssm(), hosting()),
        *(clients.sagemaker(), clients.ssm(), clients.events(), hosting()),
    ),
    "confirm": lambda plan: confirm(plan, clients.sagemaker(), hosting()),
    "undo": lambda plan: undo(
        plan,
        *(clients.sagemaker(), clients.ssm(), clients.autoscaling(), clients.cloudwatch(), hosting()),
    ),
    # by hand, when the endpoint was switched on again (infra/hosted.py)
    "scale": lambda plan: {
        "outcome": "ok",
        "message": restore(plan["endpoint"], clients.autoscaling(), clients.ssm(), hosting()),
    },
    "remove": lambda plan: remove(plan, clients.sagemaker(), clients.ssm(), hosting()),
}

log = telemetry.logger("deploy")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> DeployPlan:
    """Answer with the plan, changed by the step; an expected failure is outcome failed with error and cause."""
    step, plan = event["step"], event["plan"]
    try:
        result: DeployPlan = plan | STEPS[step](plan)
    except OutcomeError as stop:
        result = plan | {"outcome": "failed", "error": stop.error, "cause": stop.cause()}
    said = result.get("cause") if result["outcome"] in ENDED_BADLY else result.get("message")
    log.info("step done", extra={"step": step, "outcome": result["outcome"], "said": said})
    return result
