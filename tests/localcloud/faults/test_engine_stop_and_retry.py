"""An execution's second chance: calls and jobs that are tried again, and executions that are stopped or resumed."""

from __future__ import annotations

from typing import Any

from engine_support import RUNNING, World, definition, output_of, processing, statuses, throttled

from localcloud.sagemaker.engine import records

SOON = {"IntervalSeconds": 0.001, "BackoffRate": 1.0}


def test_a_throttled_call_is_tried_again(world: World) -> None:
    tries: list[str] = []

    def behave(request: dict[str, Any]) -> str:
        tries.append(request["ProcessingJobName"])
        return throttled(request) if len(tries) < 3 else "Completed"

    world.behave("A", behave)
    world.create(definition(processing("A", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], **SOON}])))
    execution, steps = world.run()
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert steps["A"]["AttemptCount"] == 3
    assert "FailureReason" not in steps["A"]
    assert len(set(tries)) == 3


def test_a_call_that_is_throttled_for_ever_is_given_up(world: World) -> None:
    world.behave("A", throttled)
    policy = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2, **SOON}
    world.create(definition(processing("A", RetryPolicies=[policy])))
    _, steps = world.run()
    assert world.created == ["A"] * 3
    assert (steps["A"]["StepStatus"], steps["A"]["AttemptCount"]) == ("Failed", 3)
    assert steps["A"]["FailureReason"] == "ThrottlingException: Rate exceeded"


def test_a_job_is_run_again_when_the_service_failed_and_not_when_its_code_did(world: World) -> None:
    reasons = iter(["CapacityError: no machines", "AlgorithmError: bug"])
    world.behave("A", lambda request: {"Status": "Failed", "FailureReason": next(reasons)})
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], **SOON}
    world.create(definition(processing("A", RetryPolicies=[policy])))
    _, steps = world.run()
    assert world.created == ["A", "A"]
    assert steps["A"]["FailureReason"] == "AlgorithmError: bug"


def test_stopping_stops_the_running_jobs_and_starts_no_more(world: World) -> None:
    world.behave("A", RUNNING)
    world.create(definition(processing("A"), processing("B", DependsOn=["A"])))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    world.stop(arn)
    world.until(lambda: world.describe(arn)["PipelineExecutionStatus"] == "Stopped")
    assert statuses(world.steps(arn)) == {"A": "Stopped"}
    changes = [news.status for news in world.news if news.kind == records.STEP]
    assert changes == ["Starting", "Executing", "Stopping", "Stopped"]


def test_stopping_does_not_wait_for_the_next_try(world: World) -> None:
    world.behave("A", throttled)
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 3600}
    world.create(definition(processing("A", RetryPolicies=[policy])))
    arn = world.start()
    world.until(lambda: "FailureReason" in world.steps(arn).get("A", {}))
    waiting = world.steps(arn)["A"]
    assert waiting["FailureReason"] == "try 2 of 6 in 3600 s: ThrottlingException: Rate exceeded"
    assert waiting["AttemptCount"] == 1
    world.stop(arn)
    assert world.wait(arn)["PipelineExecutionStatus"] == "Stopped"
    assert statuses(world.steps(arn)) == {"A": "Stopped"}
    assert "FailureReason" not in world.steps(arn)["A"]


def test_a_retry_repeats_what_failed_and_keeps_what_succeeded(world: World) -> None:
    world.behave("B", {"Status": "Failed", "FailureReason": "AlgorithmError: bug"})
    chain = processing("A", outputs=("x",)), processing("B", output_of("A", "x")), processing("C", DependsOn=["B"])
    world.create(definition(*chain))
    execution, steps = world.run()
    arn = execution["PipelineExecutionArn"]
    world.behave("B", "Completed")
    world.retry(arn)
    execution = world.wait(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in execution
    assert world.created == ["A", "B", "B", "C"]
    after = world.steps(arn)
    assert after["A"] == steps["A"]
    assert (after["B"]["AttemptCount"], after["C"]["AttemptCount"]) == (2, 1)


def test_a_retry_of_a_stopped_execution_finishes_it(world: World) -> None:
    world.behave("A", RUNNING)
    world.create(definition(processing("A"), processing("B", DependsOn=["A"])))
    arn = world.start()
    world.until(lambda: world.created)
    world.stop(arn)
    world.wait(arn)
    world.behave("A", "Completed")
    world.retry(arn)
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert world.created == ["A", "A", "B"]
