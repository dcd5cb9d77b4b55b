"""`scones approve` and `reject`: a person's word on a model, and the deploy workflow that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scones import cloud, settings
from scones.commands.pipeline import as_json_option
from scones.console import emit, emit_json, say
from scones.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.registry import Approval
    from stepfunctions.executions import Ended

_version = click.argument("version", required=False)
_comment = click.option("--comment", default="", help="Why; kept in the registry.")
_again = click.option("--again", is_flag=True, help="Even if that is its state already: deploy once more.")
_wait = click.option("--wait", is_flag=True, help="Follow the deploy workflow to its end.")


@click.command()
@_version
@_comment
@_again
@_wait
@as_json_option
def approve(version: str | None, comment: str, again: bool, wait: bool, as_json: bool) -> None:
    """Approve a model: VERSION is a number or an ARN, by default the newest that waits for a decision.

    The registry tells EventBridge, and the deploy workflow brings the newest approved version into service. The same
    happens after: aws sagemaker update-model-package.
    """
    _decide("Approved", version, comment, again, wait, as_json)


@click.command()
@_version
@_comment
@_again
@_wait
@as_json_option
def reject(version: str | None, comment: str, again: bool, wait: bool, as_json: bool) -> None:
    """Reject a model, or withdraw its approval.

    If it is live, the deploy workflow goes back to the newest version that is still approved.
    """
    _decide("Rejected", version, comment, again, wait, as_json)


def deployment(arn: str, approval: Approval, decide: Callable[[], None], tell: Callable[[str], None]) -> Ended:
    """Take the decision about a version, and follow the deploy workflow that it starts to its end.

    SageMaker may send an event twice. The run that finds another one at work has nothing to do, so that other one is
    followed then.

    Raises:
        CloudError: no deploy workflow started.
        ExecutionFailedError: the deployment failed.
    """
    from stepfunctions import executions

    machine = cloud.names().state_machine("deploy")
    before = executions.known(machine)
    decide()

    def is_about_this(request: dict[str, object]) -> bool:
        detail = request.get("detail")
        return isinstance(detail, dict) and (detail.get("ModelPackageArn"), detail.get("ModelApprovalStatus")) == (
            arn,
            approval,
        )

    execution = executions.started_by(machine, before, is_about_this)
    if execution is None:
        raise CloudError(
            f"{arn} is {approval}, and no deploy workflow started within {executions.EVENT_PATIENCE:.0f} s.",
            "Is the rule enabled, and is the event in the queue of undelivered ones? See docs/serving.md.",
        )
    followed: set[str] = set()
    while True:
        tell(f"Deploy workflow {execution.rpartition(':')[2]}")
        end = executions.follow(execution, tell)
        followed.add(execution)
        executions.raise_unless_succeeded(end, f"Deploy workflow {end.name}")
        others = [one for one in executions.known(machine) - before - followed if executions.is_running(one)]
        if end.output.get("outcome") == "ok" or not others:
            return end
        execution = others[0]


def _decide(approval: Approval, wanted: str | None, comment: str, again: bool, wait: bool, as_json: bool) -> None:
    from infra import costs
    from pipelines import registry

    version = registry.choose(settings.load().model_package_group, wanted, approval, again)
    say(registry.summary(version))
    if approval == "Approved":
        say(costs.endpoint(settings.load()))

    def decide() -> None:
        registry.decide(version, approval, comment)
        say(f"{version.arn} is {approval}.")

    answer: dict[str, object] = {"arn": version.arn, "version": version.number, "approval": approval}
    if not wait:
        decide()
    else:
        end = deployment(version.arn, approval, decide, say if as_json else emit)
        answer |= {"deployment": end.arn, "outcome": end.output["outcome"], "message": end.output["message"]}
        say(end.output["message"])
    if as_json:
        emit_json(answer)
    elif not wait:
        emit(version.arn)
