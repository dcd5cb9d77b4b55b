"""Batches: a whole prefix of pictures through the batch workflow, how far each is, and its summary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from project import aws
from project.errors import DataError
from scones.desk.data.objects import body, listed
from stepfunctions import inference
from stepfunctions.executions import Execution, latest

ROOT = "batches"
"""Where the batch workflow keeps work, results and summary of each run: see lambdas/list_images/listing.py."""


@dataclass(frozen=True)
class BatchRun:
    """One run. `parts` of `all_parts` are done; both are None before the work list is written."""

    execution: Execution
    source: str
    parts: int | None
    all_parts: int | None
    counts: dict[str, Any]


def start(prefix: str, threshold: float | None) -> str:
    """Start a batch over `prefix` (s3://bucket/prefix, or a prefix in the project's bucket); the execution's ARN.

    Raises:
        UsageError: no prefix, or not one.
        CloudError: Step Functions refused or did not answer.
    """
    return inference.start_batch(prefix, threshold)


def runs(most: int = 10) -> list[BatchRun]:
    """The latest batches, newest first.

    Raises:
        SconesError: AWS refused or did not answer.
    """
    return [_batch(one) for one in latest(aws.names().state_machine("batch"), most)]


def _batch(execution: Execution) -> BatchRun:
    bucket, request = aws.names().bucket, execution.input
    source = f"s3://{request.get('s3_bucket', '?')}/{request.get('prefix', '?')}"
    counts = execution.output.get("counts", {})
    if execution.status != "RUNNING":
        return BatchRun(execution, source, None, None, counts)
    work = body(bucket, f"{ROOT}/{execution.name}/work.json")
    if work is None:
        return BatchRun(execution, source, None, None, counts)
    done = listed(bucket, f"{ROOT}/{execution.name}/results/")
    return BatchRun(execution, source, len(done), len(json.loads(work)), counts)


NOT_ROUTED = {
    # list in summary.json: what it is called
    "low_confidence": "Below the threshold",
    "unfamiliar": "Unfamiliar",
    "failed": "Failed",
    "not_processed": "Not processed",
}


@dataclass(frozen=True)
class Kept:
    """A picture of a batch that was not routed, and why, in words."""

    key: str
    why: str


def not_routed(summary: bytes) -> dict[str, list[Kept]]:
    """The pictures in each of the lists of NOT_ROUTED, those of which the model was least sure first.

    Raises:
        DataError: it is no summary of a batch.
    """
    try:
        document = json.loads(summary)
        return {name: [_kept(one) for one in _least_sure_first(document[name])] for name in NOT_ROUTED}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The batch's summary: {type(error).__name__}: {error}.", "Run the batch again.") from None


def _least_sure_first(entries: list[Any]) -> list[Any]:
    return sorted(entries, key=lambda one: one.get("confidence", 0.0) if isinstance(one, dict) else 0.0)


def _kept(entry: Any) -> Kept:
    if isinstance(entry, str):
        return Kept(entry, "its part of the batch left no result")
    if "confidence" in entry:
        return Kept(entry["key"], f"{entry['vehicle']} {entry['confidence']:.3f}")
    if "unfamiliarity" in entry:
        return Kept(entry["key"], f"{entry['vehicle']}, unfamiliarity {entry['unfamiliarity']:.3g}")
    return Kept(entry["key"], f"{entry['error']}: {entry['problem']}")


def summary(name: str) -> bytes | None:
    """The summary.json of the run of that name; None while there is none."""
    return body(aws.names().bucket, f"{ROOT}/{name}/summary.json")
