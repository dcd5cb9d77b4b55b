"""`scones invoke`, `test-cases`, `batch`: pictures through the workflows."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from project import aws
from project.console import emit, emit_json, say, table
from project.errors import DataError, ExecutionFailedError
from scones.cli.numbers import FiniteRange
from scones.cli.pipeline import as_json_option

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
    from pipelines.runs.inputs import split
    from stepfunctions import inference

    bucket, key = split(picture) if picture.startswith("s3://") else _uploaded(Path(picture))
    if not wait:
        execution = inference.begin(bucket, key, threshold)
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
    from stepfunctions.inference import judge_all

    cases = held_out.sample(held_out.of_live_model(), count, seed)
    found = judge_all(cases[0].bucket, [case.key for case in cases], threshold, concurrency)
    if as_json:
        emit_json([{"expected": case.class_name, **asdict(one)} for case, one in zip(cases, found, strict=True)])
    else:
        rows = [_row(case, one) for case, one in zip(cases, found, strict=True)]
        emit(table(rows, ["PICTURE", "EXPECTED", "PREDICTED", "CONFIDENCE", "RESULT"]))
    say(outcomes(cases, found))
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
    from pipelines.runs.inputs import split
    from stepfunctions.executions import raise_unless_succeeded
    from stepfunctions.inference import run_batch

    bucket, under = split(prefix) if prefix.startswith("s3://") else (aws.names().bucket, prefix)
    end = run_batch(bucket, under, threshold, say)
    raise_unless_succeeded(end, f"Batch {end.name}")
    if as_json:
        emit_json({"execution": end.arn, "seconds": end.seconds, **end.output})
        return
    emit(f"{batch_line(end.output['counts'])}, in {end.seconds:.1f} s")
    emit(end.output["summary"])


def outcomes(cases: list[HeldOut], found: list[Judged]) -> str:
    """How many passed, how many of these rightly, how many failed loudly, and whether both occurred."""
    passed = [(case, one) for case, one in zip(cases, found, strict=True) if one.outcome == "routed"]
    right = sum(case.class_name == one.vehicle for case, one in passed)
    unsure = sum(one.outcome == "unsure" for one in found)
    both = "both outcomes occurred" if passed and unsure else f"only one outcome occurred in {len(found)} pictures"
    return f"{len(passed)} passed ({right} of them right), {unsure} failed loudly: {both}"


def batch_line(counts: dict[str, Any]) -> str:
    """`200 pictures: 150 routed (far 71, near 79), 48 below the threshold, 2 failed`."""
    routes = ", ".join(f"{route} {number}" for route, number in counts["routes"].items())
    routed = f"{counts['routed']} routed" + (f" ({routes})" if routes else "")
    rest = f"{counts['low_confidence']} below the threshold, {counts['failed']} failed"
    lost = f", {counts['not_processed']} not processed" if counts["not_processed"] else ""
    return f"{counts['images']} pictures: {routed}, {rest}{lost}"


def _row(case: HeldOut, one: Judged) -> list[str]:
    confidence = "" if one.confidence is None else f"{one.confidence:.4f}"
    results = {"routed": f"passed: {one.route}", "unsure": "failed loudly", "failed": f"failed: {one.error}"}
    return [case.key.rpartition("/")[2], case.class_name, one.vehicle or "", confidence, results[one.outcome]]


def _uploaded(file: Path) -> tuple[str, str]:
    """Bucket and key of the file's copy under `invoked/`: under `incoming/` its landing would start a second run."""
    if not file.is_file():
        raise DataError(f"Picture {file}: there is no such file.", "Name a file, or s3://bucket/key.")
    data, names = file.read_bytes(), aws.names()
    key = f"invoked/{hashlib.sha256(data).hexdigest()[:16]}/{file.name}"
    with aws.explained(f"uploading {file} to {names.uri(key)}"):
        aws.client("s3").put_object(Bucket=names.bucket, Key=key, Body=data)
    return names.bucket, key


def _next(found: Judged) -> str:
    if found.outcome == "unsure":
        return "A person decides; or ask for less: --threshold, scones threshold."
    return f"All of it: aws stepfunctions describe-execution --execution-arn {found.execution}"
