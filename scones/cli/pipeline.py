"""`scones check`, `show`, `diff` and `upsert`: the pipeline's definition, before anything runs."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project import aws, json_text, settings
from project.console import emit, emit_json, say
from project.errors import SconesError, UsageError
from project.names import Names
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from project.problem import Problem


@click.command()
@click.option(
    "--definition",
    "file",
    type=click.Path(path_type=Path),
    help="Check this file instead of the project's: a pipeline's definition, or anybody's state machine (*.asl.json).",
)
@as_json_option
def check(file: Path | None, as_json: bool) -> None:
    """Find problems in the pipeline and the state machines, each with its fix. Needs no account.

    Warnings are what AWS accepts and what fails there when it runs; they do not change the exit code.
    """
    from pipelines.checks import CHECKS, problems
    from pipelines.checks.settings_checks import settings_agree
    from stepfunctions import checks, machines
    from stepfunctions.warnings import WARNINGS, warnings

    if file:
        found, warned, number = _checked(file)
        done = f"{number} checks of {file}: no problem."
    else:
        found = [*settings_agree(settings.load()), *problems(_rendered(Names(settings.load()))), *_in_machines()]
        warned = [_of(name, each) for name in machines.names() for each in warnings(machines.load(name))]
        done = f"{len(CHECKS)} checks of the pipeline: no problem.\n"
        done += f"{len(checks.CHECKS) + len(WARNINGS)} checks of the state machines {', '.join(machines.names())}: "
        done += "no problem."
    if as_json:
        listed = [{**asdict(each), "severity": "problem"} for each in found]
        emit_json([*listed, *({**asdict(each), "severity": "warning"} for each in warned)])
    else:
        for problem in found:
            emit(str(problem))
        for warning in warned:
            emit(f"warning: {warning}")
    if found:
        where = file or "the pipeline and the state machines"
        raise SconesError(f"{len(found)} problem{'s' if len(found) > 1 else ''} in {where}.")
    say(done if not warned else f"{done[:-1]}, {len(warned)} warning{'s' if len(warned) > 1 else ''}.")


@click.command()
@click.option("--mermaid", is_flag=True, help="A Mermaid flowchart.")
@as_json_option
def show(mermaid: bool, as_json: bool) -> None:
    """Draw the pipeline's graph: steps in order, branches, parameters with defaults. Needs no account."""
    from pipelines.definition import drawing

    if mermaid and as_json:
        raise UsageError("--mermaid and --json are two forms of one answer.", "Choose one.")
    name = settings.load().pipeline_name
    definition = _rendered(Names(settings.load()))
    if as_json:
        emit_json(drawing.as_json(name, definition))
    else:
        emit(drawing.as_mermaid(definition) if mermaid else drawing.as_text(name, definition))


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are differences.")
@as_json_option
def diff(exit_code: bool, as_json: bool) -> None:
    """Say what an upsert would change, against the pipeline that is deployed."""
    from pipelines.definition.build import build
    from pipelines.runs import upsert

    names = aws.names()
    name = names.settings.pipeline_name
    current = upsert.deployed(name)
    changes = upsert.changes(current, name, build(names).definition, names.pipeline_role, upsert.DESCRIPTION)
    if as_json:
        emit_json([change.as_json() for change in changes])
    else:
        for change in changes:
            emit(str(change))
        if not changes:
            say(f"Pipeline {name} is deployed as it is here.")
    if changes and exit_code:
        sys.exit(1)


@click.command()
@as_json_option
def upsert(as_json: bool) -> None:
    """Create the pipeline, or update it if anything differs, with the job code that it points to."""
    from pipelines.checks import problems
    from pipelines.definition.build import build
    from pipelines.runs import upsert

    built = build(aws.names())
    if found := problems(built.definition):
        for problem in found:
            say(str(problem))
        raise SconesError(f"The pipeline has {len(found)} problems: nothing was deployed.", "See: scones check.")
    outcome = upsert.upsert(built)
    if as_json:
        emit_json(asdict(outcome))
    else:
        say(f"{outcome.uploaded} files of job code uploaded.")
        emit(f"{outcome.action} {outcome.arn} version {outcome.version}")


def _rendered(names: Names) -> dict[str, Any]:
    from pipelines.definition.build import build

    return build(names).definition


def _in_machines() -> list[Problem]:
    """What is wrong with the state machines, given the placeholders that the template will fill."""
    from infra import template
    from stepfunctions import checks, machines

    filled = template.placeholders()
    return [
        _of(name, problem)
        for name in machines.names()
        for problem in checks.problems(machines.load(name), filled.get(name, set()))
    ]


def _of(machine: str, problem: Problem) -> Problem:
    return replace(problem, where=f"state machine {machine}, {problem.where}")


def _checked(file: Path) -> tuple[list[Problem], list[Problem], int]:
    """Problems and warnings of anybody's definition, and how many checks that were.

    Raises:
        UsageError: the file cannot be read, or is neither a pipeline's definition nor a state machine.
    """
    from pipelines.checks import CHECKS, problems
    from stepfunctions import checks
    from stepfunctions.form import checked_form
    from stepfunctions.warnings import WARNINGS, warnings

    definition = _read(file)
    if "States" not in definition:
        return problems(_pipeline_in(file, definition)), [], len(CHECKS)
    machine = checked_form(definition, str(file))
    return checks.refusals(machine), warnings(machine), len(checks.REFUSED) + len(WARNINGS)


def _read(file: Path) -> Any:
    """The JSON object in a file.

    Raises:
        UsageError: it cannot be read, or is no such thing.
    """
    try:
        value = json_text.parsed(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{file}: not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{file}: neither a pipeline's definition nor a state machine: it is no JSON object.")
    return value


def _pipeline_in(file: Path, definition: dict[str, Any]) -> dict[str, Any]:
    listed = definition.get("Steps")
    if not isinstance(listed, list) or not all(isinstance(step, dict) for step in listed):
        fix = "A pipeline has a list Steps, a state machine an object States."
        raise UsageError(f"{file}: neither a pipeline's definition nor a state machine.", fix)
    return definition
