"""Deliveries through the inference workflow, and batches through the batch workflow, as a client sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from project import aws, json_text, s3
from project.errors import DataError, UsageError
from project.progress import progress
from project.waiting import going_on
from stepfunctions import executions
from stepfunctions.executions import Execution

LOW_CONFIDENCE, UNFAMILIAR = "LowConfidence", "Unfamiliar"


@dataclass(frozen=True)
class Judged:
    """What became of one picture.

    Attributes:
        outcome: routed; unsure (the model works and its confidence is below the threshold); unfamiliar (the picture is
            unlike what the model learned from); failed.
        vehicle: the best guess, also of an unsure model; None when there was no answer.
        route: None unless routed.
    """

    picture: str
    outcome: Literal["routed", "unsure", "unfamiliar", "failed"]
    execution: str
    seconds: float
    vehicle: str | None = None
    route: str | None = None
    confidence: float | None = None
    threshold: float | None = None
    unfamiliarity: float | None = None
    error: str | None = None
    problem: str | None = None


def upload_picture(file: Path) -> str:
    """Upload a picture under `invoked/` and return its address: under `incoming/` it would start a run of its own.

    Raises:
        DataError: there is no such file.
    """
    if not file.is_file():
        raise DataError(f"Picture {file}: there is no such file.", "Name a file, or s3://bucket/key.")
    content = file.read_bytes()
    uri = aws.names().uri("invoked", hashlib.sha256(content).hexdigest()[:16], file.name)
    s3.upload(content, uri)
    return uri


def request_for(threshold: float | None, **source: str) -> dict[str, Any]:
    """A workflow's input; without a threshold the one in SSM counts."""
    return {**source, **({} if threshold is None else {"threshold": threshold})}


def start(bucket: str, key: str, threshold: float | None = None) -> str:
    """Start the inference workflow for one picture; the execution's ARN."""
    return executions.start(
        aws.names().state_machine("inference"), request_for(threshold, s3_bucket=bucket, s3_key=key)
    )


def judge(bucket: str, key: str, threshold: float | None = None) -> Judged:
    """Send one picture through the inference workflow and wait for its end."""
    return judged(bucket, key, executions.wait_until_ended(start(bucket, key, threshold)))


def judge_all(bucket: str, keys: Iterable[str], threshold: float | None, concurrency: int) -> list[Judged]:
    """`judge` for every key, at most `concurrency` at a time; results in the order of the keys."""
    keys, found = list(keys), []
    with (
        ThreadPoolExecutor(concurrency) as pool,
        going_on("What was sent is judged to its end; nothing more is sent."),
        progress() as show,
    ):
        try:
            for one in pool.map(lambda key: judge(bucket, key, threshold), keys):
                found.append(one)
                show("Routing", f"{len(found)} of {len(keys)} pictures", len(found), len(keys))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def judged(bucket: str, key: str, end: Execution) -> Judged:
    """What the end of an execution of the inference workflow says about the picture."""
    picture, seconds = f"s3://{bucket}/{key}", round(end.seconds, 3)
    if end.succeeded:
        return Judged(picture, "routed", end.arn, seconds, **end.output["decision"])
    facts = _numbers(end.cause)
    loud: dict[str, Literal["unsure", "unfamiliar"]] = {LOW_CONFIDENCE: "unsure", UNFAMILIAR: "unfamiliar"}
    return Judged(
        picture,
        loud.get(end.error, "failed"),
        end.arn,
        seconds,
        error=end.error or end.status,
        problem=end.problem,
        **facts,
    )


def start_batch(prefix: str, threshold: float | None = None) -> str:
    """Start the batch workflow for every picture under a prefix; the execution's ARN.

    `prefix` is s3://bucket/prefix, or a prefix in the project's bucket.

    Raises:
        UsageError: it is empty, or not the address of anything.
        CloudError: Step Functions refused or did not answer.
    """
    prefix = prefix.strip()
    if not prefix:
        raise UsageError("No batch was started: there is no prefix.", "Name one, such as incoming/2026-11-20/.")
    bucket, under = s3.split(prefix) if prefix.startswith("s3://") else (aws.names().bucket, prefix)
    request = request_for(threshold, s3_bucket=bucket, prefix=under)
    return executions.start(aws.names().state_machine("batch"), request)


def outcomes_line(expected: Sequence[str], found: Sequence[Judged]) -> str:
    """How many passed, how many of these rightly, how many the model doubted, and whether both occurred.

    `expected`: the class that each picture really shows.
    """
    passed = [(name, one) for name, one in zip(expected, found, strict=True) if one.outcome == "routed"]
    right = sum(name == one.vehicle for name, one in passed)
    unsure = sum(one.outcome in ("unsure", "unfamiliar") for one in found)
    both = "both outcomes occurred" if passed and unsure else f"only one outcome occurred in {len(found)} pictures"
    return f"{len(passed)} passed ({right} of them right), {unsure} not routed: {both}"


def batch_line(counts: dict[str, Any]) -> str:
    """`200 pictures: 150 routed (far 71, near 79), 48 below the threshold, 2 failed`."""
    routes = ", ".join(f"{route} {number}" for route, number in counts["routes"].items())
    routed = f"{counts['routed']} routed" + (f" ({routes})" if routes else "")
    rest = (
        f"{counts['low_confidence']} below the threshold, {counts['unfamiliar']} unfamiliar, {counts['failed']} failed"
    )
    lost = f", {counts['not_processed']} not processed" if counts["not_processed"] else ""
    return f"{counts['images']} pictures: {routed}, {rest}{lost}"


def _numbers(cause: str) -> dict[str, Any]:
    """Vehicle, confidence and what was held against it in the cause of a loud failure; nothing in any other."""
    try:
        facts = json_text.parsed(cause)
    except ValueError:
        return {}
    names = ("vehicle", "confidence", "threshold", "unfamiliarity")
    return {name: facts[name] for name in names if name in facts} if isinstance(facts, dict) else {}
