"""What an ended execution says about a picture, which test pictures are picked, and how outcomes are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.runs.held_out import HeldOut, sample
from project.errors import ExecutionFailedError
from stepfunctions.executions import Execution, raise_unless_succeeded
from stepfunctions.inference import Judged, batch_line, judged, outcomes_line, request_for

STARTED = datetime(2026, 3, 1, tzinfo=UTC)
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:scones-unlimited-inference:e1"
DECISION = {"vehicle": "bicycle", "route": "near", "confidence": 0.97, "threshold": 0.93}
UNSURE = {"error": "LowConfidence", "problem": "best guess bicycle", "vehicle": "bicycle", "confidence": 0.6} | {
    "threshold": 0.93,
    "inferences": {"bicycle": 0.6, "motorcycle": 0.4},
}


def end(status: str, error: str = "", cause: str = "", **output: object) -> Execution:
    stopped = STARTED + timedelta(seconds=0.5)
    return Execution(EXECUTION, status, STARTED, stopped, {}, output, error, cause)


def test_a_success_is_a_route() -> None:
    found = judged("b", "k.png", end("SUCCEEDED", decision=DECISION))
    assert found == Judged("s3://b/k.png", "routed", EXECUTION, 0.5, **DECISION)  # type: ignore[arg-type]


def test_low_confidence_keeps_its_numbers() -> None:
    found = judged("b", "k.png", end("FAILED", "LowConfidence", json.dumps(UNSURE)))
    assert (found.outcome, found.error, found.problem) == ("unsure", "LowConfidence", "best guess bicycle")
    assert (found.vehicle, found.route, found.confidence, found.threshold) == ("bicycle", None, 0.6, 0.93)


@pytest.mark.parametrize("cause", ["", "not JSON", "[]", '{"other": 1}', '"text"', "null"])
def test_any_other_failure_is_told_as_it_is(cause: str) -> None:
    found = judged("b", "k.png", end("FAILED", "Lambda.Unknown", cause))
    assert (found.outcome, found.error, found.problem) == ("failed", "Lambda.Unknown", cause)
    assert found.confidence is None


def test_an_execution_without_an_error_is_named_by_its_status() -> None:
    assert judged("b", "k.png", end("TIMED_OUT")).error == "TIMED_OUT"
    with pytest.raises(ExecutionFailedError, match=r"Batch e1 aborted: no reason given .*scones logs arn"):
        raise_unless_succeeded(end("ABORTED"), "Batch e1")


def test_a_threshold_is_sent_only_when_there_is_one() -> None:
    assert request_for(None, s3_bucket="b", s3_key="k") == {"s3_bucket": "b", "s3_key": "k"}
    assert request_for(0.0, s3_bucket="b", s3_key="k") == {"s3_bucket": "b", "s3_key": "k", "threshold": 0.0}


@given(
    st.lists(st.sampled_from(["bicycle", "motorcycle", "truck"]), max_size=40),
    st.integers(1, 50),
    st.integers(0, 1000),
)
def test_a_sample_is_balanced_repeatable_and_without_doubles(classes: list[str], count: int, seed: int) -> None:
    pictures = [HeldOut("b", f"{number}.png", name) for number, name in enumerate(classes)]
    found = sample(pictures, count, seed)
    assert found == sample(pictures, count, seed)
    assert len(found) == len(set(found)) == min(count, len(pictures))
    chosen = {name: sum(p.class_name == name for p in found) for name in set(classes)}
    for name, number in chosen.items():
        if number < classes.count(name):  # not used up: no other class has two more
            assert max(chosen.values()) - number <= 1


def one(outcome: str, vehicle: str | None = None) -> Judged:
    return Judged("s3://b/k.png", outcome, EXECUTION, 0.1, vehicle=vehicle)  # type: ignore[arg-type]


def test_both_outcomes_are_said_to_have_occurred_only_when_they_have() -> None:
    shown = ["bicycle", "motorcycle", "bicycle"]
    mixed = [one("routed", "bicycle"), one("routed", "bicycle"), one("unsure", "bicycle")]
    assert outcomes_line(shown, mixed) == "2 passed (1 of them right), 1 not routed: both outcomes occurred"
    passed = [one("routed", "bicycle")] * 3
    assert outcomes_line(shown, passed).endswith("only one outcome occurred in 3 pictures")
    failed = [one("routed", "bicycle"), one("failed"), one("failed")]
    assert outcomes_line(shown, failed).endswith("only one outcome occurred in 3 pictures")


def test_a_batch_is_told_in_one_line() -> None:
    counts = {
        "images": 6,
        "routed": 3,
        "routes": {"far": 1, "near": 2},
        "low_confidence": 1,
        "failed": 1,
        "unfamiliar": 1,
    }
    assert batch_line(counts | {"not_processed": 0}) == (
        "6 pictures: 3 routed (far 1, near 2), 1 below the threshold, 1 unfamiliar, 1 failed"
    )
    assert batch_line(counts | {"not_processed": 4}).endswith(", 4 not processed")
