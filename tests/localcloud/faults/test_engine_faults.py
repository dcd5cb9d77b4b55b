"""What an execution does when a step fails, or the report that its gate reads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from engine_support import (
    RUNNING,
    World,
    at_least,
    condition,
    definition,
    fail,
    metric,
    processing,
    reporting,
    statuses,
)

from localcloud.sagemaker.engine import conditions
from localcloud.sagemaker.engine.retries import JOB_TYPES, STEP_TYPES
from localcloud.sagemaker.errors import validation


def test_a_failed_step_lets_the_running_ones_finish_and_starts_no_more(world: World) -> None:
    world.behave("Bad", {"Status": "Failed", "FailureReason": "AlgorithmError: no data", "ExitMessage": "Error: x"})
    world.behave("Slow", RUNNING)
    world.create(definition(processing("Slow"), processing("Bad"), processing("Next", DependsOn=["Slow"])))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("Bad", {}).get("StepStatus") == "Failed")
    assert world.describe(arn)["PipelineExecutionStatus"] == "Executing"
    world.end_job("Slow")
    execution = world.wait(arn)
    assert statuses(world.steps(arn)) == {"Slow": "Succeeded", "Bad": "Failed"}
    assert execution["PipelineExecutionStatus"] == "Failed"
    wanted = "Step failure: One or multiple steps failed. Bad: AlgorithmError: no data: Error: x"
    assert execution["FailureReason"] == wanted


def test_a_refused_job_fails_its_step_with_the_refusal(world: World) -> None:
    def refuse(request: dict[str, Any]) -> str:
        raise validation("no such image")

    world.behave("A", refuse)
    world.create(definition(processing("A")))
    _, steps = world.run()
    assert steps["A"]["FailureReason"] == "ValidationException: no such image"
    assert world.created == ["A"]


def test_what_the_api_would_refuse_is_refused_when_parameters_make_it_so(world: World) -> None:
    step = processing("A", {"Get": "Parameters.Long"})
    world.create(definition(step, parameters=[{"Name": "Long", "Type": "String"}]))
    _, steps = world.run(PipelineParameters=[{"Name": "Long", "Value": "x" * 257}])
    assert "containerArguments.1.member" in steps["A"]["FailureReason"]
    assert world.created == []


def test_a_job_that_somebody_stopped_fails_its_step(world: World) -> None:
    world.behave("A", RUNNING)
    world.create(definition(processing("A")))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    world.end_job("A", "Stopped", "MaxRuntimeExceeded: too long")
    world.wait(arn)
    assert world.steps(arn)["A"]["StepStatus"] == "Failed"
    assert "was stopped. MaxRuntimeExceeded" in world.steps(arn)["A"]["FailureReason"]


def test_a_fail_step_waits_for_running_steps_and_ends_with_its_message(world: World) -> None:
    world.behave("Slow", RUNNING)
    message = {"Std:Join": {"On": " ", "Values": ["X is", {"Get": "Parameters.X"}]}}
    parameters = [{"Name": "X", "Type": "Float", "DefaultValue": 0.5}]
    world.create(definition(processing("Slow"), fail("Bad", message), processing("Other"), parameters=parameters))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("Bad"))
    world.end_job("Slow")
    execution = world.wait(arn)
    assert statuses(world.steps(arn)) == {"Slow": "Succeeded", "Bad": "Failed"}
    assert execution["FailureReason"].endswith("Bad: X is 0.5")


EVERYTHING = [{"ExceptionType": [*STEP_TYPES, *JOB_TYPES], "IntervalSeconds": 0.001}]


def broken(*_: Any) -> Any:
    raise KeyError("oops")


def test_an_error_of_our_own_code_in_a_create_call_fails_its_step_once_and_leaves_the_others_alone(
    world: World,
) -> None:
    world.behave("A", broken)
    world.behave("Slow", RUNNING)
    world.create(definition(processing("Slow"), processing("A", RetryPolicies=EVERYTHING)))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Failed")
    world.end_job("Slow")
    execution = world.wait(arn)
    steps = world.steps(arn)
    assert statuses(steps) == {"Slow": "Succeeded", "A": "Failed"}
    assert steps["A"]["FailureReason"] == "the local SageMaker failed: KeyError: 'oops'; see its log"
    assert steps["A"]["AttemptCount"] == 1
    assert sorted(world.created) == ["A", "Slow"]
    assert execution["FailureReason"].endswith("A: the local SageMaker failed: KeyError: 'oops'; see its log")


def test_an_error_of_our_own_code_while_a_job_is_watched_fails_its_step_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "describe_job", broken)
    world.create(definition(processing("A", RetryPolicies=EVERYTHING)))
    _, steps = world.run()
    assert steps["A"]["FailureReason"] == "the local SageMaker failed: KeyError: 'oops'; see its log"
    assert world.created == ["A"]


def test_an_error_of_our_own_code_at_a_gate_fails_the_gate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "satisfied", broken)
    world.report("Evaluate", '{"metrics": {"accuracy": 0.9}}')
    world.create(gated())
    _, steps = world.run()
    assert statuses(steps) == {"Evaluate": "Succeeded", "Gate": "Failed"}
    assert "KeyError: 'oops'" in steps["Gate"]["FailureReason"]


def gated(**members: Any) -> str:
    left = metric("Evaluate", "metrics.accuracy")
    gate = condition("Gate", at_least(left, 0.8), yes=[processing("Register")], no=[fail("Bad", "too low")])
    return definition(reporting("Evaluate", **members), gate)


@pytest.mark.parametrize(
    ("accuracy", "reached"),
    [
        *(("0.8", "Register"), ("0.7999", "Bad"), ('"0.9"', "Register")),
        *(("NaN", "Bad"), ("Infinity", "Bad"), ("1e999", "Bad"), ('"inf"', "Bad")),
    ],
)
def test_the_gate_opens_at_the_threshold_and_never_for_what_is_not_finite(
    world: World, accuracy: str, reached: str
) -> None:
    world.report("Evaluate", f'{{"metrics": {{"accuracy": {accuracy}}}}}')
    world.create(gated())
    _, steps = world.run()
    assert set(steps) == {"Evaluate", "Gate", reached}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (None, "property file Report of step Evaluate: .*/report.json cannot be read: .*NoSuchKey"),
        ("", "report.json is not JSON"),
        ('{"metrics": {"acc', "report.json is not JSON"),
        ('{"metrics": {"auc": 0.9}}', "nothing at 'metrics.accuracy': 'metrics' has auc"),
        ('{"metrics": {"accuracy": null}}', "None is not one"),
        ('{"metrics": {"accuracy": "high"}}', "'high' is not one"),
    ],
)
def test_a_metric_that_is_not_there_fails_the_gate_and_registers_nothing(
    world: World, report: str | None, reason: str
) -> None:
    if report is not None:
        world.report("Evaluate", report)
    world.create(gated())
    execution, steps = world.run()
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert statuses(steps) == {"Evaluate": "Succeeded", "Gate": "Failed"}
    assert re.search(reason, steps["Gate"]["FailureReason"])
    assert world.created == ["Evaluate"]


def test_a_failed_gate_fails_again_when_it_is_retried(world: World) -> None:
    world.report("Evaluate", '{"metrics": {"accuracy": 0.5}}')
    world.create(gated())
    execution, _ = world.run()
    world.retry(execution["PipelineExecutionArn"])
    assert world.wait(execution["PipelineExecutionArn"])["FailureReason"].endswith("Bad: too low")
    assert world.created == ["Evaluate"]
