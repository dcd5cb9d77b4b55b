"""How an execution's end is told and which exit code it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines import registry
from pipelines.runs.follow import raise_unless_succeeded, step_line
from project.errors import ExecutionFailedError, QualityGateError

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited/execution/abcdefghijkl"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def step(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "StartTime": BEGAN, **more}


def execution(status: str, **more: Any) -> dict[str, Any]:
    return {"PipelineExecutionArn": ARN, "PipelineExecutionStatus": status, **more}


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (step("Train", "Starting"), "Train            Executing"),
        (step("Train", "Executing"), "Train            Executing"),
        (step("Train", "Succeeded", EndTime=BEGAN + timedelta(seconds=41.26)), "Train            Succeeded  41.3 s"),
        (
            step("Train", "Succeeded", EndTime=BEGAN, CacheHitResult={"SourcePipelineExecutionArn": ARN}),
            "Train            Succeeded  cached",
        ),
        (
            step("Train", "Succeeded", EndTime=BEGAN, CacheHitResult={"SourcePipelineExecutionArn": ""}),
            "Train            Succeeded  0.0 s",
        ),
        (step("Train", "Executing", AttemptCount=1), "Train            Executing"),
        (step("Train", "Executing", AttemptCount=2), "Train            Executing  try 2"),
        (
            step("Train", "Starting", AttemptCount=1, FailureReason="try 2 of 6 in 10 s: no\nroom"),
            "Train            try 2 of 6 in 10 s: no room",
        ),
        (
            step("Train", "Failed", AttemptCount=3, FailureReason="no room", EndTime=BEGAN),
            "Train            Failed     0.0 s",
        ),
    ],
)
def test_a_transition_is_one_line(answer: dict[str, Any], line: str) -> None:
    assert step_line(answer) == line


def test_success_raises_nothing() -> None:
    raise_unless_succeeded(execution("Succeeded"), [])


STAGED = [
    step("RegisterModel", "Succeeded", Metadata={"RegisterModel": {"Arn": "arn:of/the/package"}}),
    step("StagingEndpoint", "Failed", FailureReason="Endpoint e is Failed: no weights"),
    step("TestStaging", "Failed", FailureReason="the endpoint is Failed: no weights"),
    step("RemoveStaging", "Succeeded"),
]


def test_a_staging_test_that_rejected_the_version_exits_with_three_and_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "described", lambda arn: {"ModelApprovalStatus": "Rejected"})
    with pytest.raises(QualityGateError, match="TestStaging: the endpoint is Failed: no weights"):
        raise_unless_succeeded(execution("CompletedWithFailures"), STAGED)


def test_a_staging_test_that_could_not_be_made_is_no_models_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "described", lambda arn: {"ModelApprovalStatus": "PendingManualApproval"})
    with pytest.raises(ExecutionFailedError, match=r"TestStaging: .* not rejected") as caught:
        raise_unless_succeeded(execution("CompletedWithFailures"), STAGED)
    assert caught.value.exit_code == 1


def test_the_fail_step_of_the_gate_exits_with_three() -> None:
    reached = step("QualityTooLow", "Failed", Metadata={"Fail": {"ErrorMessage": "Accuracy 0.6 is below 0.8"}})
    with pytest.raises(QualityGateError, match=r"Accuracy 0\.6 is below 0\.8\. Nothing was registered") as caught:
        raise_unless_succeeded(execution("Failed"), [step("CheckQuality", "Succeeded"), reached])
    assert caught.value.exit_code == 3


def test_a_metric_that_the_gate_cannot_read_exits_with_three() -> None:
    unread = step("CheckQuality", "Failed", FailureReason="metrics.accuracy is not in evaluation.json")
    with pytest.raises(QualityGateError, match="not in evaluation"):
        raise_unless_succeeded(execution("Failed"), [unread])


def test_a_failed_step_is_named_with_its_reason_and_the_next_command() -> None:
    failed = step("CreateModel", "Failed", FailureReason="no such artefact")
    with pytest.raises(ExecutionFailedError, match="CreateModel: no such artefact") as caught:
        raise_unless_succeeded(execution("Failed"), [failed])
    assert "scones resume abcdefghijkl --wait" in caught.value.fix
    assert caught.value.exit_code == 1


def test_a_failure_without_a_failed_step_gives_the_executions_reason() -> None:
    with pytest.raises(ExecutionFailedError, match="the role was refused"):
        raise_unless_succeeded(execution("Failed", FailureReason="the role was refused"), [])


def test_a_stopped_execution_is_not_a_success() -> None:
    with pytest.raises(ExecutionFailedError, match="was stopped"):
        raise_unless_succeeded(execution("Stopped"), [])
