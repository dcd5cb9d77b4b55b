"""`scones invoke`, `test-cases`, `batch`: pictures through the workflows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from project.console import emit, emit_json, say, table
from project.errors import ExecutionFailedError
from scones.cli.options import FiniteRange, as_json_option

if TYPE_CHECKING:
    from pipelines.runs.held_out import HeldOut
    from stepfunctions.inference import Judged

_threshold = click.option("--threshold", type=FiniteRange(0, 1), help="Instead of the one in SSM, for this call alone.")


@click.command()
@click.argument("picture")
@_threshold
@click.option("--wait/--no-wait", default=True, help="Wait for the decision, or print the execution's ARN.")
@as_json_option
def invoke(picture: str, threshold: float | None, wait: bool, as_json: bool) -> None:
    """Send PICTURE (a file, or s3://bucket/key) through the inference workflow.

    Prints route, vehicle and confidence. Exit code 1 when the model is not sure enough or anything else failed.
    """
    from project import s3
    from stepfunctions import inference

    bucket, key = s3.split(picture if picture.startswith("s3://") else inference.upload_picture(Path(picture)))
    if not wait:
        execution = inference.start(bucket, key, threshold)
        if as_json:
            emit_json({"execution": execution})
        else:
            emit(execution)
        return
    found = inference.judge(bucket, key, threshold)
    if as_json:
        emit_json(asdict(found))
    elif found.outcome == "routed":
        emit(f"{found.route}  {found.vehicle}  {found.confidence:.4f}  (threshold {found.threshold})  {found.picture}")
    if found.outcome != "routed":
        raise ExecutionFailedError(f"{found.picture} was not routed: {found.error}: {found.problem}", _next(found))


@click.command("test-cases")
@click.option("--n", "count", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many pictures.")
@_threshold
@click.option("--concurrency", type=click.IntRange(1, 32), default=8, show_default=True, help="How many at a time.")
@click.option("--seed", type=int, default=7, show_default=True, help="Which pictures of the test split.")
@as_json_option
def test_cases(count: int, threshold: float | None, concurrency: int, seed: int, as_json: bool) -> None:
    """Send pictures of the live model's own test split through the inference workflow.

    Exit code 1 when a picture failed for another reason than low confidence.
    """
    from pipelines.runs import held_out
    from stepfunctions.inference import judge_all, outcomes_line

    cases = held_out.sample(held_out.of_live_model(), count, seed)
    found = judge_all(cases[0].bucket, [case.key for case in cases], threshold, concurrency)
    if as_json:
        emit_json([{"expected": case.class_name, **asdict(one)} for case, one in zip(cases, found, strict=True)])
    else:
        rows = [_row(case, one) for case, one in zip(cases, found, strict=True)]
        emit(table(rows, ["PICTURE", "EXPECTED", "PREDICTED", "CONFIDENCE", "RESULT"]))
    say(outcomes_line([case.class_name for case in cases], found))
    broken = [one for one in found if one.outcome == "failed"]
    if broken:
        raise ExecutionFailedError(
            f"{len(broken)} of {len(found)} pictures failed, the first: {broken[0].error}: {broken[0].problem}",
            _next(broken[0]),
        )


@click.command()
@click.argument("prefix")
@_threshold
@as_json_option
def batch(prefix: str, threshold: float | None, as_json: bool) -> None:
    """Route every picture under PREFIX: s3://bucket/prefix, or a prefix in the project's bucket."""
    from stepfunctions.executions import follow, raise_unless_succeeded
    from stepfunctions.inference import batch_line, start_batch

    end = follow(start_batch(prefix, threshold), say, items="batches")
    raise_unless_succeeded(end, f"Batch {end.name}")
    if as_json:
        emit_json({"execution": end.arn, "seconds": end.seconds, **end.output})
        return
    emit(f"{batch_line(end.output['counts'])}, in {end.seconds:.1f} s")
    emit(end.output["summary"])


def _row(case: HeldOut, one: Judged) -> list[str]:
    confidence = "" if one.confidence is None else f"{one.confidence:.4f}"
    results = {
        "routed": f"passed: {one.route}",
        "unsure": "not routed: unsure",
        "unfamiliar": "not routed: unfamiliar",
        "failed": f"failed: {one.error}",
    }
    return [case.key.rpartition("/")[2], case.class_name, one.vehicle or "", confidence, results[one.outcome]]


def _next(found: Judged) -> str:
    if found.outcome == "unfamiliar":
        return "A person looks at it. The limit: scones unfamiliarity."
    if found.outcome == "unsure":
        return "A person decides; or ask for less: --threshold, scones threshold."
    return f"All of it: scones logs {found.execution}"
