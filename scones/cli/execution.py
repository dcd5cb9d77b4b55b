"""`scones start`, `status`, `resume` and `stop`: executions of the deployed pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from project import aws, settings
from project.console import emit, emit_json, say, table
from scones.cli.options import FiniteRange, as_json_option, execution_argument, wait_option


@click.command()
@click.option("--archive", help="A CIFAR archive: a local file, which is uploaded if needed, or s3://bucket/key.")
@click.option(
    "--pictures",
    metavar="FOLDER",
    help="Pictures of your own: a folder or s3:// prefix with a folder for each class, or a .csv of path and label. "
    "With --archive, both are learned from.",
)
@click.option(
    "--reviewed",
    is_flag=True,
    help="Also learn from deliveries that people labelled, as `scones monitor publish` makes a data set of them. Some "
    "are held out, and new and live version are compared on those.",
)
@click.option("--parameter", "assignments", multiple=True, metavar="NAME=VALUE", help="Override a default; repeatable.")
@click.option("--display-name", help="A name to find the execution by.")
@click.option(
    "--max-drop-from-live",
    "max_drop",
    type=FiniteRange(0, 1),
    metavar="SHARE",
    help="Refuse a model whose accuracy is lower than the live model's by more. Default: the setting of this name.",
)
@wait_option
@as_json_option
def start(
    archive: str | None,
    pictures: str | None,
    reviewed: bool,
    assignments: tuple[str, ...],
    display_name: str | None,
    max_drop: float | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Start an execution of the deployed pipeline, and with --wait follow it.

    Exit codes with --wait: 0 registered, 1 failed, 3 the quality gate said no.
    """
    from infra import costs
    from pipelines.definition import gates, rendering, reviewed_pictures
    from pipelines.runs import executions, inputs, live_minimum, picture_upload
    from pipelines.runs import reviewed as reviewed_set

    given = inputs.parse_assignments(assignments)
    max_drop = settings.load().max_drop_from_live if max_drop is None else max_drop
    if max_drop is not None and gates.MINIMUM_FROM_LIVE not in given:
        given = live_minimum.parameters(settings.load(), max_drop) | given
    source = inputs.upload_archive(aws.names(), archive) if archive else None
    if pictures:
        source = picture_upload.upload_pictures(aws.names(), pictures, source)
    given = (source or {}) | given
    if reviewed:
        given = {reviewed_pictures.PARAMETER: reviewed_set.publish(aws.names()).uri} | given
    name = settings.load().pipeline_name
    arn = executions.start(name, given, display_name, inputs.commit(Path.cwd()))
    if aws.bills():
        say(costs.execution(settings.load(), len(rendering.PROCESSING_JOBS), given))
    _report(arn, wait, as_json)


@click.command()
@execution_argument
@wait_option
@as_json_option
def status(execution: str | None, wait: bool, as_json: bool) -> None:
    """Show an execution (id, ARN or display name; the latest by default) and its steps.

    With --wait: follow it, and end as `scones start --wait` does.
    """
    from pipelines.runs import executions

    arn = executions.resolve(settings.load().pipeline_name, execution)
    if wait:
        _report(arn, wait, as_json)
        return
    _emit_state(executions.describe(arn), executions.list_steps(arn), as_json)


@click.command()
@execution_argument
@wait_option
@as_json_option
def resume(execution: str | None, wait: bool, as_json: bool) -> None:
    """Run the failed and unfinished steps of an execution again, with the same definition and parameters.

    With --wait: follow it, and end as `scones start --wait` does.
    """
    from pipelines.runs import executions

    arn = executions.resolve(settings.load().pipeline_name, execution)
    executions.retry(arn)
    _report(arn, wait, as_json)


@click.command()
@execution_argument
@wait_option
@as_json_option
def stop(execution: str | None, wait: bool, as_json: bool) -> None:
    """Stop a running execution; its jobs get their stop signal."""
    from pipelines.runs import executions
    from pipelines.runs.follow import follow

    arn = executions.resolve(settings.load().pipeline_name, execution)
    executions.stop(arn)
    if wait:
        follow(arn, say)
    _emit_state(executions.describe(arn), executions.list_steps(arn), as_json)


def _report(arn: str, wait: bool, as_json: bool) -> None:
    """The execution's ARN, or with `wait` its transitions and its end."""
    from pipelines.runs.follow import follow, raise_unless_succeeded

    if not wait:
        if as_json:
            emit_json({"arn": arn})
        else:
            emit(arn)
        return
    say(f"Execution {arn}")
    description, steps = follow(arn, say if as_json else emit)
    if as_json:
        _emit_state(description, steps, as_json)
    raise_unless_succeeded(description, steps)
    say(f"Succeeded in {_seconds(description):.1f} s")


def _emit_state(description: dict[str, Any], steps: list[dict[str, Any]], as_json: bool) -> None:
    from pipelines.runs.executions import execution_id
    from pipelines.runs.follow import duration, is_cached, remark

    if as_json:
        emit_json(
            {
                "arn": description["PipelineExecutionArn"],
                "display_name": description.get("PipelineExecutionDisplayName"),
                "status": description["PipelineExecutionStatus"],
                "reason": description.get("FailureReason"),
                "started": description["CreationTime"],
                "steps": [
                    {
                        "name": step["StepName"],
                        "status": step["StepStatus"],
                        "attempt": step.get("AttemptCount"),
                        "cached": is_cached(step),
                        "started": step.get("StartTime"),
                        "ended": step.get("EndTime"),
                        "reason": step.get("FailureReason"),
                        "metadata": step.get("Metadata", {}),
                    }
                    for step in steps
                ],
            }
        )
        return
    name = description.get("PipelineExecutionDisplayName", "")
    status, started = description["PipelineExecutionStatus"], description["CreationTime"]
    emit(f"{execution_id(description['PipelineExecutionArn'])} {name} {status}, started {started:%Y-%m-%d %H:%M:%S %Z}")
    if steps:
        rows = [[s["StepName"], s["StepStatus"], duration(s), remark(s)] for s in steps]
        emit(table(rows, ["STEP", "STATUS", "TIME", "REASON"]))


def _seconds(description: dict[str, Any]) -> float:
    return float((description["LastModifiedTime"] - description["CreationTime"]).total_seconds())
