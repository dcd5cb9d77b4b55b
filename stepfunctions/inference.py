"""Deliveries through the inference workflow, and batches through the batch workflow, as a client sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from project import aws
from stepfunctions.executions import Ended, ended, follow, start

LOW_CONFIDENCE = "LowConfidence"


@dataclass(frozen=True)
class Judged:
    """What became of one picture.

    Attributes:
        outcome: routed; unsure (failed loudly: the model works and its confidence is below the threshold); failed.
        vehicle: the best guess, also of an unsure model; None when there was no answer.
        route: None unless routed.
    """

    picture: str
    outcome: Literal["routed", "unsure", "failed"]
    execution: str
    seconds: float
    vehicle: str | None = None
    route: str | None = None
    confidence: float | None = None
    threshold: float | None = None
    error: str | None = None
    problem: str | None = None


def request_for(bucket: str, key: str, threshold: float | None = None) -> dict[str, Any]:
    """The inference workflow's input; without a threshold the one in SSM counts."""
    return {"s3_bucket": bucket, "s3_key": key, **({} if threshold is None else {"threshold": threshold})}


def begin(bucket: str, key: str, threshold: float | None = None) -> str:
    """Start the inference workflow for one picture; the execution's ARN."""
    return start(aws.names().state_machine("inference"), request_for(bucket, key, threshold))


def judge(bucket: str, key: str, threshold: float | None = None) -> Judged:
    """Send one picture through the inference workflow and wait for its end."""
    return judged(bucket, key, ended(begin(bucket, key, threshold)))


def judge_all(bucket: str, keys: Iterable[str], threshold: float | None, concurrency: int) -> list[Judged]:
    """`judge` for every key, at most `concurrency` at a time; results in the order of the keys."""
    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(lambda key: judge(bucket, key, threshold), keys))


def judged(bucket: str, key: str, end: Ended) -> Judged:
    """What the end of an execution of the inference workflow says about the picture."""
    picture, seconds = f"s3://{bucket}/{key}", round(end.seconds, 3)
    if end.succeeded:
        return Judged(picture, "routed", end.arn, seconds, **end.output["decision"])
    facts = _numbers(end.cause)
    outcome: Literal["unsure", "failed"] = "unsure" if end.error == LOW_CONFIDENCE else "failed"
    return Judged(picture, outcome, end.arn, seconds, error=end.error or end.status, problem=end.problem, **facts)


def run_batch(bucket: str, prefix: str, threshold: float | None, tell: Callable[[str], None]) -> Ended:
    """Send every picture under a prefix through the batch workflow, `tell` its states, and wait for its end."""
    request = {"s3_bucket": bucket, "prefix": prefix, **({} if threshold is None else {"threshold": threshold})}
    return follow(start(aws.names().state_machine("batch"), request), tell)


def _numbers(cause: str) -> dict[str, Any]:
    """Vehicle, confidence and threshold in the cause of a low-confidence failure; nothing in any other."""
    try:
        facts = json.loads(cause)
    except ValueError:
        return {}
    names = ("vehicle", "confidence", "threshold")
    return {name: facts[name] for name in names if name in facts} if isinstance(facts, dict) else {}
