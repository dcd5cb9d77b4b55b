"""A decision about a model version, taken and followed through: the deploy workflow that it starts, to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines import registry
from pipelines.registry import Approval, Version
from pipelines.runs import in_service
from project import aws
from project.console import say
from project.errors import CloudError, ExecutionFailedError
from project.progress import in_words
from project.waiting import going_on
from stepfunctions import executions
from stepfunctions.executions import Execution


def decide_and_wait(version: Version, approval: Approval, comment: str, tell: Callable[[str], None]) -> Execution:
    """Record the decision about a version, and wait for the end of the deploy workflow that it starts.

    SageMaker may send an event twice, and an opposite decision may come meanwhile. So when a run leaves the work to
    another one, or ends with something else than what was decided, the other one is followed.

    Raises:
        CloudError: no deploy workflow started.
        ExecutionFailedError: the deployment failed, the approval was withdrawn meanwhile, or what was rejected is live.
    """
    arn, machine = version.arn, aws.names().state_machine("deploy")
    earlier = executions.known(machine)
    followed = earlier - executions.running(machine)
    registry.decide(version, approval, comment)
    say(f"{arn} is {approval}.")

    def is_about_this(request: dict[str, Any]) -> bool:
        detail = request.get("detail")
        return isinstance(detail, dict) and (detail.get("ModelPackageArn"), detail.get("ModelApprovalStatus")) == (
            arn,
            approval,
        )

    usual = executions.longest(machine)
    so_far = f"the longest of the last ones took {in_words(usual)}" if usual else "this is the first"
    say(f"Waiting for the deploy workflow to start and to end: {so_far}.")
    with going_on(f"{arn} is {approval}, and the deploy workflow follows: state machine {machine}."):
        execution = executions.wait_until_started(machine, earlier, is_about_this)
    if execution is None:
        raise CloudError(
            f"{arn} is {approval}, and no deploy workflow started within {executions.EVENT_PATIENCE:.0f} s.",
            "Is the rule enabled, and is the event in the queue of undelivered ones? See docs/serving.md.",
        )
    while True:
        tell(f"Deploy workflow {execution.rpartition(':')[2]}")
        end = executions.follow(execution, tell)
        followed.add(execution)
        problem = _contradiction(arn, approval)
        others = executions.running(machine) - followed
        left_to_others = problem or end.output.get("outcome") in {"nothing", "superseded"}
        if not (others and left_to_others):
            break
        execution = min(others)
    if problem:
        raise ExecutionFailedError(problem, "See docs/serving.md, section Approving.")
    executions.raise_unless_succeeded(end, f"Deploy workflow {end.name}")
    return end


def _contradiction(arn: str, approval: Approval) -> str | None:
    """How what is true now contradicts the decision; None when it does not."""
    number, stands = arn.rpartition("/")[2], registry.described(arn)["ModelApprovalStatus"]
    now = in_service.found()
    live = in_service.said(now, aws.names().settings.model_package_group)
    if approval == "Approved" and stands != "Approved":
        return f"The approval of version {number} was withdrawn (it is {stands}): {live}."
    if approval == "Rejected" and stands == "Approved":
        return f"Version {number} was approved again: {live}."
    if approval == "Rejected" and now.uses(arn):
        return f"Version {number} is Rejected, and still in service: {live}."
    return None
