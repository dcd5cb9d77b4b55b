"""`scones infra`: the account's resources, from one CloudFormation template."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from project import console
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from infra.changesets import ResourceChange
    from infra.package import Layer

_layer = click.option(
    "--layer",
    type=click.Choice(["lambda", "installed", "none"]),
    default="lambda",
    show_default=True,
    envvar="LOCALCLOUD_LAMBDA_LAYERS",
    show_envvar=True,
    help="Make the functions' layer of libraries for Lambda's platform or of what is installed here, or make none.",
)
_boundary = click.option(
    "--boundary/--no-boundary",
    "bounded",
    default=True,
    help="Limit roles by the boundary that infra/ci.yaml makes; without it, take it off, before deleting that stack.",
)
_DONE = {"create": "created", "change": "changed", "delete": "deleted", "adopt": "adopted"}


@click.group()
def infra() -> None:
    """The account's resources (bucket, roles, functions, state machines, rules, alarms), from infra/template.yaml."""


@infra.command()
@_layer
@_boundary
@as_json_option
def deploy(layer: Layer, bounded: bool, as_json: bool) -> None:
    """Create the stack or bring it up to date; print what was done and the stack's outputs."""
    from infra import costs, stack
    from project import aws

    done = stack.deploy(aws.names(), console.say, layer, bounded)
    if aws.bills():
        console.say(costs.resources(aws.names().settings))
    if as_json:
        console.emit_json(asdict(done))
        return
    for change in done.changes:
        console.say(_line(change, _DONE.get(change.action, change.action)))
    if not done.changes:
        console.say(f"Stack {done.stack} is up to date: nothing changed.")
    console.emit(console.table([[name, value] for name, value in sorted(done.outputs.items())], ["OUTPUT", "VALUE"]))


@infra.command()
@_layer
@_boundary
@as_json_option
def diff(layer: Layer, bounded: bool, as_json: bool) -> None:
    """Print what a deploy would do now."""
    from infra import stack
    from project import aws

    changes = stack.diff(aws.names(), layer, bounded)
    if as_json:
        console.emit_json([asdict(change) for change in changes])
    elif changes:
        for change in changes:
            console.emit(_line(change, change.action))
    else:
        console.say("The stack is up to date: a deploy would change nothing.")


@infra.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(yes: bool) -> None:
    """Delete the stack. The bucket and everything in it stay."""
    from infra import stack
    from project import aws

    names = aws.names()
    if not yes:
        click.confirm(f"Delete stack {names.stack} in account {names.account}?", abort=True, err=True)
    if stack.delete(names.stack):
        console.say(f"Deleted stack {names.stack}. Bucket {names.bucket} and its objects are kept.")
        console.say("The next `scones infra deploy` adopts it.")
    else:
        console.say(f"There is no stack {names.stack}: nothing to delete.")


def _line(change: ResourceChange, verb: str) -> str:
    name = f" {change.name}" if change.name else ""
    return f"{verb} {change.resource} ({change.type}){name}{', replacing it' if change.replaced else ''}"
