"""Lambda function Monitor: `{"action": attach | detach | start | run}`, and what that action needs.

attach    from the deploy workflow (`plan`), or by hand for what is live      detach   likewise: the endpoint goes
start     from EventBridge Scheduler, every hour                              run      by hand: `start`, `end`

People and the deploy workflow read the answer, so there a failure is data. Nobody reads what a schedule or a rule
(`"unattended": true`) is answered: there it is raised, so that Lambda tries again, and keeps the event in the queue of
undelivered events, on which an alarm rings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.monitor import start
from lambdas.monitor.attach import attach, detach, detach_withdrawn, plan_of_live
from lambdas.monitor.watching import WatchRecord, attached, watching
from lambdas.objects import parsed
from lambdas.outcomes import BadInputError, OutcomeError
from lambdas.service_errors import calling

log = telemetry.logger("monitor")


@log.inject_lambda_context
def handler(event: WatchRecord, context: Any) -> WatchRecord:
    """Answer with the plan, if there is one, and what was done; an expected failure is outcome failed with a cause.

    Raises:
        OutcomeError: that failure, where nobody reads the answer.
    """
    action, plan = event.get("action"), event.get("plan") or {}
    try:
        result = plan | _act(action, plan, event, context.invoked_function_arn)
    except OutcomeError as stop:
        if action == "start" or event.get("unattended"):
            log.error("failed", extra={"action": action, "error": stop.error, "said": stop.problem})
            raise
        result = plan | {"outcome": "failed", "error": stop.error, "cause": stop.cause(), "problem": stop.problem}
    log.info("done", extra={"action": action, "outcome": result["outcome"], "said": result.get("message")})
    return result


def _act(action: object, plan: WatchRecord, event: WatchRecord, function_arn: str) -> WatchRecord:
    host, sagemaker, ssm, cloudwatch = watching(), clients.sagemaker(), clients.ssm(), clients.cloudwatch()
    now = datetime.now(UTC)
    if action == "attach":
        wanted = plan or plan_of_live(_live(ssm), attached(ssm))
        return attach(wanted, host, sagemaker, ssm, clients.scheduler(), cloudwatch, function_arn)
    if action == "detach" and plan:
        return detach_withdrawn(host, sagemaker, ssm, clients.scheduler(), cloudwatch)
    if action == "detach":
        return detach(host, sagemaker, ssm, clients.scheduler(), cloudwatch)
    if action == "start":
        return start.start_scheduled(host, sagemaker, clients.s3(), ssm, now)
    if action == "run":
        return start.start_by_hand(host, sagemaker, clients.s3(), ssm, event, now)
    raise BadInputError("BadAction", f"The action {action!r} is none of attach, detach, start, run.")


def _live(ssm: Any) -> WatchRecord:
    parameter = configuration.required("LIVE_PARAMETER")
    with calling(f"reading parameter {parameter}"):
        text = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    found: WatchRecord = parsed(text, f"Parameter {parameter}")
    return found
