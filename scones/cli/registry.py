"""`scones approve` and `reject`: a person's word on a model, and the deploy workflow that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from project import settings
from project.console import emit, emit_json, say
from scones.cli.pipeline import as_json_option

if TYPE_CHECKING:
    from pipelines.registry import Approval

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

    If it is live or being deployed, the deploy workflow goes back to the newest version that is still approved; without
    one it deletes the endpoint.
    """
    _decide("Rejected", version, comment, again, wait, as_json)


def _decide(approval: Approval, wanted: str | None, comment: str, again: bool, wait: bool, as_json: bool) -> None:
    from infra import costs
    from pipelines import registry
    from pipelines.runs import in_service
    from scones.cli.decision import deployment

    group = settings.load().model_package_group
    version = registry.choose(group, wanted, approval, again)
    say(registry.summary(version))
    if approval == "Approved":
        say(costs.endpoint(settings.load()))
    else:
        say(in_service.after_rejection(version, registry.versions(group), in_service.found()))

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
