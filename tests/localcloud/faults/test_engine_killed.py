"""What a second server makes of the executions that the first one left when it was killed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from engine_support import CACHED, RUNNING, World, definition, processing, statuses

from localcloud.sagemaker.engine import recovery
from localcloud.sagemaker.errors import ServiceError


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
    world.create(definition(processing("A", outputs=("x",), CacheConfig=CACHED), processing("B", DependsOn=["A"])))
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
