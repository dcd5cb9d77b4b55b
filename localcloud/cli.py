"""`localcloud`: AWS on this machine, up and down, how it is, and how a shell uses it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

import click

from localcloud import environment, image_table, shell, up
from localcloud.corrections import corrections
from localcloud.errors import LocalCloudError
from localcloud.inventory import KINDS, Clients, clients, inventory, named
from localcloud.logs import log_lines
from localcloud.state import state_folder

INTERRUPTED = 130
_STEERING = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
"""Control characters, but tab, line feed and the sequences of colours."""
HEADER = ("PART", "STATUS", "PORT", "PID", "MEMORY", "SINCE")

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything the local cloud stores  [default: $LOCALCLOUD_STATE, else the nearest .localcloud here "
    "or above, else .localcloud here]",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_region = click.option("--region", help="[default: $AWS_REGION, $AWS_DEFAULT_REGION, else that of the local cloud]")
_port = click.IntRange(0, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """AWS on this machine: MiniStack, a SageMaker and a Step Functions, on 127.0.0.1 only.

    No credentials protect it: every program on this machine can use it, and so run code as you.
    """


@cli.command("up")
@_state
@click.option("--port", type=_port, help="MiniStack's port; 0 takes a free one  [default: as before, else 4566]")
@click.option(
    "--sagemaker-port", type=_port, help="SageMaker's port; 0 takes a free one  [default: as before, else 4567]"
)
@click.option(
    "--stepfunctions-port", type=_port, help="Step Functions' port; 0 takes a free one  [default: as before, else 4568]"
)
@click.option(
    "--region",
    help="Region of a shell that names none  [default: $AWS_REGION, $AWS_DEFAULT_REGION, as before, else us-east-1]",
)
@click.option(
    "--enforce-roles/--no-enforce-roles",
    default=None,
    help="Hold functions, jobs, state machines and the like to their IAM roles  [default: as it is up, else not]",
)
@click.option("--quiet", is_flag=True, help="Say nothing unless something is wrong.")
@click.pass_context
def bring_up(
    context: click.Context,
    state: Path | None,
    port: int | None,
    sagemaker_port: int | None,
    stepfunctions_port: int | None,
    region: str | None,
    enforce_roles: bool | None,
    quiet: bool,
) -> None:
    """Start the local cloud, or what is missing of it."""
    folder = state_folder(state)
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    running = up.start(folder, port, sagemaker_port, region, enforce_roles, stepfunctions_port)
    if running.lost:
        _say(
            "Warning: MiniStack had ended without saving. Objects in S3 are kept; roles, stacks and other resources "
            "are as they were at its last clean end. Deploy them again."
        )
    if region and region != running.addresses.region:
        _say(
            f"Warning: it is up with the region {running.addresses.region} for requests that are not signed, and for "
            f"shells, not {region}. To change that: {_command(context)} down, then up again."
        )
    if quiet:
        return
    _say(f"Started {_listed(running.started)}." if running.started else "The local cloud is up already.")
    _say(f"  AWS        {running.addresses.ministack}")
    _say(f"  SageMaker  {running.addresses.sagemaker}")
    _say(f"  Step Functions  {running.addresses.stepfunctions}")
    _say(f"  state      {folder}")
    if running.enforce_roles:
        _say("  roles      enforced")
    if not running.isolation.private:
        _say(running.isolation.words)
    given = context.get_parameter_source("state") is click.core.ParameterSource.COMMANDLINE
    option = f" --state {shlex.quote(str(folder))}" if given else ""
    _say(f'To use it from this shell:  eval "$({_command(context)} env{option})"')


@cli.command()
@_state
def down(state: Path | None) -> None:
    """Stop it and all it started; what it stored stays."""
    folder = state_folder(state)
    stopped = up.stop(folder)
    if "ministack" in stopped.killed:
        _say("Warning: MiniStack did not end in time and was killed: its latest changes are not saved.")
    if stopped.leftovers:
        _say(f"Killed {stopped.leftovers} leftover process{'es' if stopped.leftovers > 1 else ''}.")
    _say(f"Stopped {_listed(stopped.parts)}." if stopped.parts else f"The local cloud on {folder} was not up.")


@cli.command()
@_state
@_as_json
@click.pass_context
def status(context: click.Context, state: Path | None, as_json: bool) -> None:
    """Show each part: up, down, crashed or not answering.

    Exit code 1 unless all are up, 2 if the image table is wrong.
    """
    folder = state_folder(state)
    found = up.status(folder)
    if as_json:
        click.echo(json.dumps([asdict(part) for part in found], indent=2))
    else:
        click.echo(_table([HEADER, *map(_row, found)]))
        if any(part.enforce_roles for part in found):
            _say(
                "Functions, jobs and state machines may do what their roles allow, and nothing else (--enforce-roles)."
            )
        for isolation in {part.isolation for part in found if part.isolation}:
            _say(isolation.words)
    image_table.require_table(folder)
    if any(part.status != "up" for part in found):
        _say(f"To start what is missing on {folder}: {_command(context)} up")
        context.exit(1)


@cli.command()
@_state
@_as_json
@click.option(
    "--guard",
    is_flag=True,
    help="Let no AWS client in Python leave this machine: calls to AWS's own hosts come here too, others fail. "
    "The shell's identity is a role, as a notebook's is.",
)
def env(state: Path | None, as_json: bool, guard: bool) -> None:
    """Point a shell here: eval "$(localcloud env)"."""
    running = up.running(state_folder(state))
    if guard:
        wanted = shell.write_guarded_variables(running.state, running.addresses, os.environ)
    else:
        wanted = shell.write_variables(running.state, running.addresses)
    if as_json:
        click.echo(json.dumps(wanted, indent=2))
    else:
        unwanted = shell.KEYS if guard else ()
        click.echo("\n".join(environment.shell_lines(wanted, os.environ, unwanted)))


@cli.command("images")
@_state
@_as_json
def list_images(state: Path | None, as_json: bool) -> None:
    """List the images that something stands in for: what they can be used for, with which Python, and who says so."""
    folder = state_folder(state)
    image_table.require_table(folder)
    found = image_table.programs(image_table.config_file(folder))
    if as_json:
        click.echo(json.dumps([{**asdict(one), "uses": sorted(one.uses)} for one in found], indent=2))
        return
    rows = [(one.repository, ", ".join(sorted(one.uses)), one.interpreter, one.origin) for one in found]
    click.echo(_table([("REPOSITORY", "USES", "INTERPRETER", "FROM"), *rows]))
    _say("Any other image trains and processes if the request brings its script.")


@cli.command("list")
@_state
@_as_json
@_region
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="So many of each kind.")
def list_all(state: Path | None, as_json: bool, region: str | None, most: int) -> None:
    """List jobs, endpoints, functions and executions, newest first."""
    found = inventory(_clients(state, region), most)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    elif found:
        rows = [(one.kind, one.name, one.status, one.created) for one in found]
        click.echo(_table([("KIND", "NAME", "STATUS", "CREATED"), *rows]))
    else:
        _say("There are no jobs, endpoints, functions or executions in this region.")


@cli.command()
@click.argument("name")
@_state
@_region
@click.option("--kind", type=click.Choice(list(KINDS)), help="Needed when a job, an endpoint, … have one name.")
@click.option("--follow", is_flag=True, help="Go on until it has ended; an endpoint or a function: until Ctrl-C.")
@_as_json
@click.pass_context
def logs(
    context: click.Context,
    name: str,
    state: Path | None,
    region: str | None,
    kind: str | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the log of a job, an endpoint or a function, or what happened in an execution."""
    if follow and as_json:
        raise click.UsageError("--json is one document, and --follow has no end.")
    of = _clients(state, region)
    found = named(of, name, kind)
    if not found:
        raise LocalCloudError(
            f"Looking for {kind or 'anything'} called {name}: there is none in this region.",
            f"See what there is: {_command(context)} list",
        )
    if len(found) > 1:
        kinds = _listed(tuple(sorted({one.kind for one in found})))
        fix = "Say which with --kind." if len({one.kind for one in found}) > 1 else "Name it whole, or by its ARN."
        raise LocalCloudError(f"Looking for {name}: {len(found)} have that name ({kinds}).", fix)
    if as_json:
        lines = list(log_lines(of, found[0], follow))
        click.echo(json.dumps({"kind": found[0].kind, "name": found[0].name, "lines": lines}, indent=2))
        return
    for line in log_lines(of, found[0], follow):
        click.echo(_harmless(line) if sys.stdout.isatty() else line)


@cli.command("corrections")
@_as_json
def list_corrections(as_json: bool) -> None:
    """List where MiniStack is corrected to behave as AWS, and how AWS's behaviour is known."""
    found = corrections()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        click.echo("\n\n".join(f"{one.name}: {one.behaviour}\n  {one.evidence}" for one in found))


def _clients(state: Path | None, region: str | None) -> Clients:
    running = up.running(state_folder(state))
    shells = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return clients(running.addresses, region or shells or running.addresses.region)


def _say(message: str) -> None:
    click.echo(message, err=True)


def _harmless(line: str) -> str:
    """A line of somebody's program for a terminal: with its colours, and without what else would steer it."""
    return _STEERING.sub(lambda found: f"\\x{ord(found[0]):02x}", line)


def _command(context: click.Context) -> str:
    """What the group is called by: `localcloud`, or what another command has it as."""
    return context.parent.command_path if context.parent else "localcloud"


def _listed(names: tuple[str, ...]) -> str:
    """`a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _row(part: up.PartStatus) -> tuple[str, ...]:
    memory = "-" if part.memory_mb is None else f"{part.memory_mb:.0f} MB"
    return part.part, part.status, str(part.port or "-"), str(part.pid or "-"), memory, part.since or "-"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main() -> None:
    """Run the command; a known failure is one line on stderr and its exit code."""
    try:
        code = cli.main(prog_name="localcloud", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except LocalCloudError as error:
        _say(f"Error: {error}")
        code = error.exit_code
    except click.Abort:
        _say("Stopped.")
        code = INTERRUPTED
    sys.exit(code)
