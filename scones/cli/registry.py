"""`scones approve` and `reject`: a decision about a model, and the deploy workflow that it starts."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from project import aws, settings
from project.console import emit, emit_json, say
from scones.cli.completion import complete_version
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from pipelines.registry import Approval, Version
    from pipelines.runs.in_service import InService

_version = click.argument("version", required=False, shell_complete=complete_version)
_comment = click.option("--comment", default="", help="Why; kept in the registry with your name.")
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
    from pipelines.runs import deployment, in_service, live_comparison

    own = settings.load()
    version = registry.choose(own.model_package_group, wanted, approval, again)
    say(registry.summary(version))
    now = in_service.found()
    if approval == "Approved" and now.served != version.arn:
        live = int(now.served.rpartition("/")[2]) if now.served else None
        if compared := live_comparison.words(live_comparison.of_version(version), live):
            say(compared)
    say(_consequence(version, approval, now))
    if approval == "Approved" and (ahead := registry.untested(version)):
        say(ahead)
    comment = registry.signed(getpass.getuser(), comment)
    answer: dict[str, object] = {"arn": version.arn, "version": version.number, "approval": approval}
    if wait:
        end = deployment.decide_and_wait(version, approval, comment, say if as_json else emit)
        answer |= {"deployment": end.arn, "outcome": end.output["outcome"], "message": end.output["message"]}
        say(end.output["message"])
    else:
        registry.decide(version, approval, comment)
        say(f"{version.arn} is {approval}.")
    if approval == "Approved" and aws.bills():
        say(costs.endpoint(own))
    if as_json:
        emit_json(answer)
    elif not wait:
        emit(version.arn)


def _consequence(version: Version, approval: Approval, now: InService) -> str:
    """What a decision puts in service, or takes out of it."""
    from pipelines import registry
    from pipelines.runs import in_service

    told = in_service.after_approval if approval == "Approved" else in_service.after_rejection
    return told(version, registry.versions(settings.load().model_package_group), now)
