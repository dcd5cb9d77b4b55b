"""What an execution does when a step, a job, a file, an operator or the server's process lets it down."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_support import (
    CACHED,
    ROLE,
    RUNNING,
    World,
    at_least,
    condition,
    definition,
    fail,
    install,
    metric,
    output_of,
    processing,
    reporting,
    throttled,
    world_on,
)

from localcloud.sagemaker.cloud import News
from localcloud.sagemaker.engine import records, recovery
from localcloud.sagemaker.errors import ServiceError, validation

SOON = {"IntervalSeconds": 0.001, "BackoffRate": 1.0}


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds of a test, the current one last."""
    found: list[World] = []
    install(monkeypatch, lambda cloud: next(world for world in found if world.cloud is cloud))
    return found


@pytest.fixture
def world(tmp_path: Path, worlds: list[World]) -> Iterator[World]:
    with world_on(tmp_path / "state") as world:
        worlds.append(world)
        yield world


def statuses(steps: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: step["StepStatus"] for name, step in steps.items()}


# Order, branches, parallelism


def test_steps_run_in_the_order_of_their_dependencies(world: World) -> None:
    world.create(
        definition(
            processing("Last", output_of("Middle", "x"), DependsOn=["First"]),
            processing("Middle", output_of("First", "x"), outputs=("x",)),
            processing("First", outputs=("x",)),
        )
    )
    execution, _ = world.run()
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert world.created == ["First", "Middle", "Last"]
    place = world.requests["Middle"]["AppSpecification"]["ContainerArguments"][0]
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert place == f"s3://bucket/{identity}/First/x"


def test_only_the_chosen_branch_is_reached(world: World) -> None:
    gate = condition("Gate", at_least({"Get": "Parameters.X"}, 1), yes=[processing("Yes")], no=[processing("No")])
    after = processing("AfterNo", DependsOn=["No"])
    world.create(definition(gate, after, parameters=[{"Name": "X", "Type": "Float", "DefaultValue": 1.0}]))
    _, steps = world.run()
    assert set(steps) == {"Gate", "Yes"}
    _, steps = world.run(PipelineParameters=[{"Name": "X", "Value": "0.5"}])
    assert set(steps) == {"Gate", "No", "AfterNo"}


def test_parallel_steps_are_bounded_and_the_bound_can_be_changed_while_they_run(world: World) -> None:
    for name in "ABC":
        world.behave(name, RUNNING)
    world.create(definition(*map(processing, "ABC")))
    arn = world.start(ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    assert world.created == ["A"]
    more = {"PipelineExecutionArn": arn, "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2}}
    world.cloud.call("UpdatePipelineExecution", more)
    world.end_job("A")
    world.until(lambda: world.created == ["A", "B", "C"])
    world.end_job("B")
    world.end_job("C")
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


# Failures


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
    world.until(lambda: world.created)
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


def test_an_error_of_the_server_ends_the_execution_and_says_where_to_look(world: World) -> None:
    def broken(request: dict[str, Any]) -> str:
        raise KeyError("oops")

    world.behave("A", broken)
    world.create(definition(processing("A")))
    execution, steps = world.run()
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "KeyError('oops')); see its log" in execution["FailureReason"]
    assert steps["A"]["StepStatus"] == "Failed"


# The gate


def gated(**members: Any) -> str:
    left = metric("Evaluate", "metrics.accuracy")
    gate = condition("Gate", at_least(left, 0.8), yes=[processing("Register")], no=[fail("Bad", "too low")])
    return definition(reporting("Evaluate", **members), gate)


@pytest.mark.parametrize(
    ("accuracy", "reached"), [("0.8", "Register"), ("0.7999", "Bad"), ("NaN", "Bad"), ('"0.9"', "Register")]
)
def test_the_gate_opens_at_the_threshold_and_never_for_nan(world: World, accuracy: str, reached: str) -> None:
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


# Retry policies


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


# Stop and retry


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
    world.until(lambda: world.created)
    world.stop(arn)
    assert world.wait(arn)["PipelineExecutionStatus"] == "Stopped"
    assert statuses(world.steps(arn)) == {"A": "Stopped"}


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


def test_a_failed_gate_fails_again_when_it_is_retried(world: World) -> None:
    world.report("Evaluate", '{"metrics": {"accuracy": 0.5}}')
    world.create(gated())
    execution, _ = world.run()
    world.retry(execution["PipelineExecutionArn"])
    assert world.wait(execution["PipelineExecutionArn"])["FailureReason"].endswith("Bad: too low")
    assert world.created == ["Evaluate"]


# The cache


def cached(name: str, *arguments: Any, **members: Any) -> dict[str, Any]:
    return processing(name, *arguments, outputs=("x",), CacheConfig=CACHED, **members)


def test_a_second_run_takes_every_result_from_the_first(world: World) -> None:
    world.create(definition(cached("A"), cached("B", output_of("A", "x"))))
    first, before = world.run()
    _, after = world.run()
    assert world.created == ["A", "B"]
    for name in "AB":
        assert after[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first["PipelineExecutionArn"]}
        assert after[name]["Metadata"] == before[name]["Metadata"]
        assert "CacheHitResult" not in before[name]


def test_what_changes_an_input_makes_the_step_and_those_behind_it_miss(world: World) -> None:
    parameters = [{"Name": "Seed", "Type": "Integer", "DefaultValue": 7}]
    seed = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Seed"}]}}
    world.create(definition(cached("A", seed), cached("B", output_of("A", "x")), cached("C"), parameters=parameters))
    world.run()
    execution, _ = world.run(PipelineParameters=[{"Name": "Seed", "Value": "8"}])
    assert world.created == ["A", "C", "B", "A", "B"]
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    step = world.cloud.store.find(records.STEP, f"{identity}/A")
    assert step is not None
    assert step.body["CacheMiss"] == "missed because AppSpecification.ContainerArguments[0] changed"
    _, steps = world.run()
    assert all("CacheHitResult" in step for step in steps.values())


def test_a_failed_run_is_never_a_hit(world: World) -> None:
    world.behave("A", {"Status": "Failed", "FailureReason": "AlgorithmError: bug"})
    world.create(definition(cached("A")))
    world.run()
    world.behave("A", "Completed")
    _, steps = world.run()
    assert world.created == ["A", "A"]
    assert "CacheHitResult" not in steps["A"]


def test_an_expired_result_and_one_whose_job_is_gone_are_no_hits(world: World) -> None:
    world.create(definition(processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "PT0S"}), cached("B")))
    world.run()
    for job in world.cloud.store.page("ProcessingJob")[0]:
        if job.body["Step"] == "B":
            world.cloud.store.delete("ProcessingJob", job.name)
    world.run()
    assert world.created == ["A", "B", "A", "B"]


def test_a_step_without_cache_config_runs_every_time(world: World) -> None:
    world.create(definition(processing("A", CacheConfig={"Enabled": False, "ExpireAfter": "P30D"}), processing("B")))
    world.run()
    world.run()
    assert world.created == ["A", "B", "A", "B"]


def test_another_pipeline_shares_nothing(world: World) -> None:
    for name in ("p", "q"):
        world.create(definition(cached("A")), name=name)
        world.run(name=name)
    assert world.created == ["A", "A"]


def test_the_same_model_is_used_again_so_that_its_transform_hits(world: World) -> None:
    model = {
        "Name": "Model",
        "Type": "Model",
        "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}},
    }
    score = {
        "Name": "Score",
        "Type": "Transform",
        "CacheConfig": CACHED,
        "Arguments": {
            "ModelName": {"Get": "Steps.Model.ModelName"},
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/test"}}},
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    world.create(definition(model, score))
    _, before = world.run()
    _, after = world.run()
    assert after["Model"]["Metadata"] == before["Model"]["Metadata"]
    assert "CacheHitResult" in after["Score"]
    assert len(world.created) == 2
    name = before["Model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    world.cloud.store.delete("Model", name)
    _, third = world.run()
    assert third["Model"]["Metadata"] != before["Model"]["Metadata"]
    assert "CacheHitResult" not in third["Score"]


# The server's process dies


def killed(world: World, state: Path, worlds: list[World]) -> World:
    """A second server on the state that the first one left when it was killed: nothing of it was ended or closed.

    The threads of the first are told to leave what they do; they write nothing after that.
    """
    world.cloud.stopping.set()
    recovery.shut_down(world.cloud)
    second = World(state)
    second.behaviours, second.created, second.s3.objects = world.behaviours, world.created, world.s3.objects
    worlds.append(second)
    recovery.recover(second.cloud)
    return second


def finish(world: World) -> None:
    world.cloud.stopping.set()
    recovery.shut_down(world.cloud)
    world.cloud.store.close()


def test_after_a_kill_the_execution_is_failed_and_a_retry_finishes_it(
    world: World, worlds: list[World], tmp_path: Path
) -> None:
    world.behave("B", RUNNING)
    world.create(definition(processing("A"), processing("B", DependsOn=["A"]), processing("C", DependsOn=["B"])))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("B", {}).get("StepStatus") == "Executing")
    second = killed(world, tmp_path / "state", worlds)
    execution = second.describe(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "the local SageMaker was restarted; retry the execution"
    assert statuses(second.steps(arn)) == {"A": "Succeeded", "B": "Failed"}
    second.end_job("B", "Failed", "InternalServerError: restarted")
    second.behave("B", "Completed")
    second.retry(arn)
    assert second.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert second.created == ["A", "B", "B", "C"]
    finish(second)


@pytest.mark.parametrize("running", [False, True])
def test_a_job_that_outlived_the_server_is_not_run_twice(
    world: World, worlds: list[World], tmp_path: Path, running: bool
) -> None:
    world.behave("A", RUNNING)
    world.create(definition(cached("A"), processing("B", DependsOn=["A"])))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    second = killed(world, tmp_path / "state", worlds)
    if not running:
        second.end_job("A")
    second.retry(arn)
    if running:
        second.until(lambda: second.steps(arn)["A"]["StepStatus"] == "Executing")
        second.end_job("A")
    assert second.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert second.created == ["A", "B"]
    _, steps = second.run()
    assert "CacheHitResult" in steps["A"]
    finish(second)


def test_a_kill_between_the_name_and_the_job_starts_a_new_job(
    world: World, worlds: list[World], tmp_path: Path
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hang(request: dict[str, Any]) -> str:
        reached.set()
        go_on.wait(20)
        raise ServiceError("Gone", "the server was killed before this was stored")

    world.behave("A", hang)
    world.create(definition(processing("A")))
    arn = world.start()
    assert reached.wait(20)
    second = World(tmp_path / "state")
    second.created = world.created
    worlds.append(second)
    recovery.recover(second.cloud)
    assert statuses(second.steps(arn)) == {"A": "Failed"}
    world.cloud.stopping.set()
    go_on.set()
    recovery.shut_down(world.cloud)
    second.retry(arn)
    assert second.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert second.created == ["A", "A"]
    finish(second)


def test_an_execution_that_was_stopping_is_stopped_after_a_kill(
    world: World, worlds: list[World], tmp_path: Path
) -> None:
    world.behave("A", RUNNING)
    world.create(definition(processing("A")))
    arn = world.start()
    world.until(lambda: world.steps(arn).get("A", {}).get("StepStatus") == "Executing")
    world.cloud.stopping.set()
    world.stop(arn)
    second = killed(world, tmp_path / "state", worlds)
    assert second.describe(arn)["PipelineExecutionStatus"] == "Stopped"
    assert statuses(second.steps(arn)) == {"A": "Stopped"}
    finish(second)


def test_a_finished_execution_is_left_as_it_is(world: World, worlds: list[World], tmp_path: Path) -> None:
    world.create(definition(processing("A")))
    execution, steps = world.run()
    second = killed(world, tmp_path / "state", worlds)
    assert second.describe(execution["PipelineExecutionArn"]) == execution
    assert second.steps(execution["PipelineExecutionArn"]) == steps
    finish(second)


def test_news_that_come_while_the_executor_looks_are_not_lost(world: World) -> None:
    seen = world.cloud.announced
    world.cloud.announce(News("ProcessingJob", "job", "Completed", "InProgress", {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.cloud.changed, "wait", lambda timeout: pytest.fail("it waited for news that it had"))
        world.cloud.wait_for_news(seen, 20)
