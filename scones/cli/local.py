"""`scones local`: bring the local cloud up and down, see how it is, and point clients at it."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from project import console, settings

if TYPE_CHECKING:
    from localcloud.up import PartStatus

STATE_FOLDER = ".scones"


def state_folder(named: Path | None = None) -> Path:
    """The local cloud's folder: `named`, or `$SCONES_STATE`, or `.scones` beside the settings file (else here)."""
    if named or os.environ.get("SCONES_STATE"):
        return (named or Path(os.environ["SCONES_STATE"])).resolve()
    file = settings.find_file()
    return (file.resolve().parent if file else Path.cwd()) / STATE_FOLDER


_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything the local cloud stores  [default: .scones beside the settings file]",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.group()
def local() -> None:
    """AWS on this machine: MiniStack and a local SageMaker, on 127.0.0.1 only.

    No credentials protect it: every program on this machine can use it, and so run code as you.
    """


@local.command()
@_state
@click.option("--port", type=click.IntRange(0, 65535), help="MiniStack's port; 0 takes a free one  [default: 4566]")
@click.option(
    "--sagemaker-port", type=click.IntRange(0, 65535), help="SageMaker's port; 0 takes a free one  [default: 4567]"
)
@click.option(
    "--enforce-roles/--no-enforce-roles",
    default=None,
    help="Hold Lambda functions to what their IAM roles allow  [default: as it is up, else not]",
)
@click.option("--quiet", is_flag=True, help="Say nothing unless something is wrong.")
def up(
    state: Path | None, port: int | None, sagemaker_port: int | None, enforce_roles: bool | None, quiet: bool
) -> None:
    """Start the local cloud, or what is missing of it."""
    from localcloud import up as cloud

    folder = state_folder(state)
    running = cloud.start(folder, port, sagemaker_port, settings.load().region, enforce_roles)
    if running.lost:
        console.say(
            "Warning: MiniStack had ended without saving. Objects in S3 are kept; roles, stacks and other resources "
            "are as they were at its last clean end. Run: scones infra deploy."
        )
    if quiet:
        return
    console.say(f"Started {' and '.join(running.started)}." if running.started else "The local cloud is up already.")
    console.say(f"  AWS        {running.addresses.ministack}")
    console.say(f"  SageMaker  {running.addresses.sagemaker}")
    console.say(f"  state      {folder}")
    if running.enforce_roles:
        console.say("  roles      enforced for Lambda functions")
    option = "" if folder == state_folder() else f" --state {shlex.quote(str(folder))}"
    console.say(f'To use it from this shell:  eval "$(scones local env{option})"')


@local.command()
@_state
def down(state: Path | None) -> None:
    """Stop it and all it started; what it stored stays."""
    from localcloud import up as cloud

    stopped = cloud.stop(state_folder(state))
    if "ministack" in stopped.killed:
        console.say("Warning: MiniStack did not end in time and was killed: its latest changes are not saved.")
    if stopped.leftovers:
        console.say(f"Killed {stopped.leftovers} leftover process{'es' if stopped.leftovers > 1 else ''}.")
    console.say(f"Stopped {' and '.join(stopped.parts)}." if stopped.parts else "The local cloud was not up.")


@local.command()
@_state
@_as_json
@click.pass_context
def status(context: click.Context, state: Path | None, as_json: bool) -> None:
    """Show each part: up, down, crashed or not answering.

    Exit code 1 unless all are up.
    """
    from localcloud import up as cloud

    found = cloud.status(state_folder(state))
    if as_json:
        console.emit_json([asdict(part) for part in found])
    else:
        rows = [_row(part) for part in found]
        console.emit(console.table(rows, ["PART", "STATUS", "PORT", "PID", "MEMORY", "SINCE"]))
        if any(part.enforce_roles for part in found):
            console.say("Lambda functions may do what their roles allow, and nothing else (--enforce-roles).")
    if any(part.status != "up" for part in found):
        console.say("To start what is missing: scones local up")
        context.exit(1)


def _row(part: PartStatus) -> list[str]:
    memory = "-" if part.memory_mb is None else f"{part.memory_mb:.0f} MB"
    return [part.part, part.status, str(part.port or "-"), str(part.pid or "-"), memory, part.since or "-"]


@local.command()
@_state
@_as_json
def env(state: Path | None, as_json: bool) -> None:
    """Point a shell here: eval "$(scones local env)"."""
    from localcloud import environment
    from localcloud import up as cloud

    running = cloud.running(state_folder(state))
    if as_json:
        console.emit_json(cloud.environment(running))
    else:
        console.emit("\n".join(environment.shell_lines(running.addresses, os.environ)))
