"""`scones tune`: search for better hyperparameters on the data of an execution."""

from __future__ import annotations

from typing import Any

import click

from project import aws, settings
from project.console import emit, emit_json, say
from project.errors import UsageError
from scones.cli.completion import complete_execution
from scones.cli.options import as_json_option, wait_option


@click.command()
@click.option("--jobs", type=click.IntRange(1, 750), default=10, show_default=True, help="How many trainings.")
@click.option("--parallel", type=click.IntRange(1, 100), default=2, show_default=True, help="How many at a time.")
@click.option(
    "--strategy",
    type=click.Choice(["Bayesian", "Random", "Grid"], case_sensitive=False),
    default="Bayesian",
    show_default=True,
    help="A grid tries every combination of values.",
)
@click.option(
    "--execution",
    shell_complete=complete_execution,
    help="Whose data to train on: id, ARN or display name; the latest by default.",
)
@click.option("--objective", default="validation:accuracy", show_default=True, help="The metric to make high.")
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="NAME=LOW:HIGH[:log]",
    help="What to change and how far, also NAME=A,B,C; repeatable. The algorithm's own choice by default.",
)
@click.option(
    "--parameter", "assignments", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter; repeatable."
)
@click.option("--seed", type=click.IntRange(0), help="Of the search; the settings' seed by default.")
@click.option("--show", metavar="TUNING-JOB", help="Start nothing; show what this search has found.")
@click.option("--stop", metavar="TUNING-JOB", help="Start nothing; stop this search.")
@wait_option
@as_json_option
def tune(
    execution: str | None,
    assignments: tuple[str, ...],
    show: str | None,
    stop: str | None,
    wait: bool,
    as_json: bool,
    **search: Any,
) -> None:
    """Search for better hyperparameters of the training, on the training and validation data of an execution.

    The test split is not touched. With --wait: a line per training, a table, and the best values for scones.toml.
    """
    if show and stop:
        raise UsageError("--show and --stop exclude each other.", "Give one of them.")
    if show:
        _emit_found(show, wait, as_json, must_find=True)
    elif stop:
        from pipelines.tuning.search import stop_search

        stop_search(stop)
        _emit_found(stop, wait, as_json, must_find=False)
    else:
        name = _start(execution, assignments, **search)
        if wait:
            _emit_found(name, wait, as_json, must_find=True)
        elif as_json:
            emit_json({"name": name})
        else:
            emit(name)


def _start(
    execution: str | None, assignments: tuple[str, ...], ranges: tuple[str, ...], seed: int | None, **how: Any
) -> str:
    from pipelines.runs import executions, inputs
    from pipelines.tuning.ranges import parameter_ranges
    from pipelines.tuning.search import Search, cost, prepare, start_search

    own = settings.load()
    search = Search(parameter_ranges(own.algorithm, ranges), seed=own.seed if seed is None else seed, **how)
    arn = executions.resolve(own.pipeline_name, execution)
    prepared = prepare(aws.names(), arn, inputs.parse_assignments(assignments), search)
    say(cost(prepared.request))
    name = start_search(prepared)
    say(f"Tuning job {name} on the data of execution {executions.execution_id(arn)}")
    return name


def _emit_found(name: str, wait: bool, as_json: bool, must_find: bool) -> None:
    """What the search has found, with `wait` at its end; one that `must_find` something and did not is an error."""
    from pipelines.tuning import results
    from pipelines.tuning.search import describe, list_jobs

    description = results.follow(name, say if as_json else emit) if wait else describe(name)
    jobs = list_jobs(name)
    if as_json:
        emit_json(results.document(description, jobs))
    else:
        emit(results.text(description, jobs))
    if must_find and description["HyperParameterTuningJobStatus"] not in results.RUNNING:
        results.raise_unless_found(description, jobs)
