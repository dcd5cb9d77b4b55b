"""`scones tune`: search for better hyperparameters on the data of an execution."""

from __future__ import annotations

from typing import Any

import click

from project import aws, settings
from project.console import emit, emit_json, say
from project.errors import UsageError
from scones.cli.execution import wait_option
from scones.cli.pipeline import as_json_option


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
@click.option("--execution", help="Whose data to train on: id, ARN or display name; the latest by default.")
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
    jobs: int,
    parallel: int,
    strategy: str,
    execution: str | None,
    objective: str,
    ranges: tuple[str, ...],
    assignments: tuple[str, ...],
    seed: int | None,
    show: str | None,
    stop: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Search for better hyperparameters of the training, on the training and validation data of an execution.

    The test split is not touched. With --wait: a line per training, a table, and the best values for scones.toml.
    """
    from pipelines.runs import executions, inputs
    from pipelines.tuning import ranges as tuning_ranges
    from pipelines.tuning import search as tuning

    if show and stop:
        raise UsageError("--show and --stop exclude each other.", "Give one of them.")
    if stop:
        tuning.stop(stop)
    name = show or stop
    if name is None:
        own = settings.load()
        search = tuning.Search(
            ranges=tuning_ranges.parameter_ranges(own.algorithm, ranges),
            objective=objective,
            strategy=strategy,
            jobs=jobs,
            parallel=parallel,
            seed=own.seed if seed is None else seed,
        )
        arn = executions.resolve(own.pipeline_name, execution)
        given = inputs.parse_assignments(assignments)
        prepared = tuning.prepare(aws.names(), arn, given, search)
        say(tuning.cost(prepared.request))
        name = tuning.start(prepared)
        say(f"Tuning job {name} on the data of execution {executions.execution_id(arn)}")
    if wait or show or stop:
        _report(name, wait, as_json, must_find=not stop)
    elif as_json:
        emit_json({"name": name})
    else:
        emit(name)


def _report(name: str, wait: bool, as_json: bool, must_find: bool) -> None:
    """What the search has found, with `wait` at its end; one that `must_find` something and did not is an error."""
    from pipelines.tuning import results
    from pipelines.tuning import search as tuning

    description = results.follow(name, say if as_json else emit) if wait else tuning.describe(name)
    jobs = tuning.list_jobs(name)
    if as_json:
        emit_json(_document(description, jobs))
    else:
        _emit_results(description, jobs)
    if must_find and description["HyperParameterTuningJobStatus"] not in results.RUNNING:
        results.raise_unless_found(description, jobs)


def _emit_results(description: dict[str, Any], jobs: list[dict[str, Any]]) -> None:
    from pipelines.tuning import results

    metric = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    emit(f"{description['HyperParameterTuningJobName']} {description['HyperParameterTuningJobStatus']}")
    if jobs:
        emit(results.results_table(jobs, metric))
    if best := description.get("BestTrainingJob"):
        emit("")
        emit(f"# {metric['MetricName']} {results.objective(best):.6f} on the validation split; for scones.toml:")
        emit(results.settings_lines(description, best["TunedHyperParameters"]))


def _document(description: dict[str, Any], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    from pipelines.tuning import results

    metric = description["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    best = description.get("BestTrainingJob")
    return {
        "name": description["HyperParameterTuningJobName"],
        "arn": description["HyperParameterTuningJobArn"],
        "status": description["HyperParameterTuningJobStatus"],
        "reason": description.get("FailureReason"),
        "objective": metric["MetricName"],
        "best": best["TrainingJobName"] if best else None,
        "jobs": [
            {
                "name": job["TrainingJobName"],
                "status": job["TrainingJobStatus"],
                "objective": results.objective(job),
                "hyperparameters": job["TunedHyperParameters"],
                "started": job.get("TrainingStartTime"),
                "ended": job.get("TrainingEndTime"),
                "reason": job.get("FailureReason"),
            }
            for job in results.ranked(jobs, metric["Type"])
        ],
    }
