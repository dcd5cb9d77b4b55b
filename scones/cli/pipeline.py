"""`scones check`, `show`, `diff` and `upsert`: the pipeline's definition, before anything runs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project import aws, settings
from project.console import emit, emit_json, say
from project.errors import SconesError, UsageError
from project.names import Names
from scones.cli.options import as_json_option

if TYPE_CHECKING:
    from project.problem import Problem


@click.command()
@click.option(
    "--definition", "file", type=click.Path(path_type=Path), help="Check this definition file instead of the project's."
)
@as_json_option
def check(file: Path | None, as_json: bool) -> None:
    """Find problems in the pipeline and the state machines, each with its fix. Needs no account."""
    from pipelines.checks import CHECKS, problems
    from pipelines.checks.settings_checks import settings_agree

    if file:
        found = problems(_definition_in(file))
    else:
        found = [*settings_agree(settings.load()), *problems(_rendered(Names(settings.load()))), *_in_machines()]
    if as_json:
        emit_json([asdict(problem) for problem in found])
    else:
        for problem in found:
            emit(str(problem))
    if found:
        where = file or "the pipeline and the state machines"
        raise SconesError(f"{len(found)} problem{'s' if len(found) > 1 else ''} in {where}.")
    say(f"{len(CHECKS)} checks of {file or 'the pipeline'}: no problem.")
    if not file:
        from stepfunctions import checks, machines

        say(f"{len(checks.CHECKS)} checks of the state machines {', '.join(machines.names())}: no problem.")


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
        replace(problem, where=f"state machine {name}, {problem.where}")
        for name in machines.names()
        for problem in checks.problems(machines.load(name), filled.get(name, set()))
    ]


def _definition_in(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{file}: not JSON: {error}.") from None
    listed = value.get("Steps") if isinstance(value, dict) else None
    if not isinstance(listed, list) or not all(isinstance(step, dict) for step in listed):
        raise UsageError(f"{file}: not a pipeline definition: it has no list of steps.")
    definition: dict[str, Any] = value
    return definition
