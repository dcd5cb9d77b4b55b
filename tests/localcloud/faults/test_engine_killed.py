"""What a second server makes of the executions that the first one left when it was killed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine_support import CACHED, RUNNING, World, definition, processing, statuses

from localcloud.sagemaker.engine import callback_step, lambda_step, recovery
from localcloud.sagemaker.engine.activity import Activity
from localcloud.sagemaker.errors import ServiceError


class FakeQueue:
    """Messages that were sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - boto3's names
        self.messages.append(json.loads(MessageBody))


def callback(name: str) -> dict[str, Any]:
    outputs = [{"OutputName": "x", "OutputType": "String"}]
    return {"Name": name, "Type": "Callback", "SqsQueueUrl": "q", "Arguments": {}, "OutputParameters": outputs}


def answer(world: World, token: str) -> None:
    request = {
        "CallbackToken": token,
        "ClientRequestToken": "c" * 32,
        "OutputParameters": [{"Name": "x", "Value": "5"}],
    }
    world.cloud.call("SendPipelineExecutionStepSuccess", request)


def killed(
    world: World, state: Path, worlds: list[World], clients: dict[tuple[str, str, float | None], Any] | None = None
) -> World:
    """A second server on the state that the first one left when it was killed: nothing of it was ended or closed.

    The threads of the first are told to leave what they do; they write nothing after that.
    """
    world.cloud.stopping.set()
    recovery.shut_down(world.cloud)
    second = World(state)
    second.cloud._clients.update(clients or {})
    second.behaviours, second.created, second.s3.objects = world.behaviours, world.created, world.s3.objects
    worlds.append(second)
    recovery.recover(second.cloud)
    return second


def finish(world: World) -> None:
    world.cloud.stopping.set()
    recovery.shut_down(world.cloud)
    world.cloud.store.close()


@pytest.mark.parametrize("before", [True, False], ids=["before the package is made", "before that is written down"])
def test_a_kill_inside_of_registermodel_registers_one_version(
    world: World, worlds: list[World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", "ModelDataUrl": "s3://b/model.tar.gz"}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arguments = {"ModelPackageGroupName": "mine", "InferenceSpecification": specification}
    world.create(definition({"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}))
    reached = threading.Event()

    def die(*_: object, **__: object) -> None:
        reached.set()
        world.cloud.stopping.wait(30)
        raise KeyError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Activity, "_make_group" if before else "_succeed", die)
        arn = world.start()
        assert reached.wait(30)
        second = killed(world, tmp_path / "state", worlds)
    assert second.describe(arn)["PipelineExecutionStatus"] == "Failed"
    second.retry(arn)
    assert second.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    listed = second.cloud.call("ListModelPackages", {"ModelPackageGroupName": "mine"})["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in listed] == [1]
    made = second.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert made == listed[0]["ModelPackageArn"]


def test_what_a_step_failed_of_before_a_kill_is_still_said_after_it(
    world: World, worlds: list[World], tmp_path: Path
) -> None:
    world.behave("A", {"Status": "Failed", "FailureReason": "InternalServerError: no network"})
    policies = [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 600, "MaxAttempts": 5}]
    world.create(definition(processing("A", RetryPolicies=policies)))
    arn = world.start()
    world.until(lambda: "no network" in world.steps(arn).get("A", {}).get("FailureReason", ""))
    second = killed(world, tmp_path / "state", worlds)
    said = second.steps(arn)["A"]["FailureReason"]
    assert said.startswith("the local SageMaker was restarted; retry the execution; try 2 of "), said
    assert said.endswith("InternalServerError: no network")


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_callback_is_waited_for_across_a_kill(world: World, worlds: list[World], tmp_path: Path, when: str) -> None:
    """The message is sent, the server is killed; the answer comes to this one still, or to the next."""
    queue = FakeQueue()
    world.cloud._clients["sqs", "", None] = queue
    world.create(definition(callback("Ask"), processing("Use", {"Get": "Steps.Ask.OutputParameters['x']"})))
    arn = world.start()
    world.until(lambda: queue.messages)
    token = queue.messages[0]["token"]
    if when == "before":
        world.cloud.stopping.set()
        recovery.shut_down(world.cloud)
        answer(world, token)
    second = killed(world, tmp_path / "state", worlds, {("sqs", "", None): queue})
    assert second.describe(arn)["PipelineExecutionStatus"] in ("Executing", "Succeeded")
    if when != "before":
        answer(second, token)
    assert second.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(second.steps(arn)) == {"Ask": "Succeeded", "Use": "Succeeded"}
    assert second.requests["Use"]["AppSpecification"]["ContainerArguments"] == ["5"]
    assert [message["status"] for message in queue.messages] == ["Executing"]
    finish(second)


def test_a_step_that_failed_before_the_kill_is_not_tried_again_after_it(
    world: World, worlds: list[World], tmp_path: Path
) -> None:
    queue = FakeQueue()
    world.cloud._clients["sqs", "", None] = queue
    world.behave("Bad", {"Status": "Failed", "FailureReason": "AlgorithmError: no"})
    world.create(definition(callback("Ask"), processing("Bad")))
    arn = world.start()
    world.until(lambda: queue.messages and world.steps(arn).get("Bad", {}).get("StepStatus") == "Failed")
    second = killed(world, tmp_path / "state", worlds, {("sqs", "", None): queue})
    answer(second, queue.messages[0]["token"])
    assert second.wait(arn)["PipelineExecutionStatus"] == "Failed"
    assert second.created == ["Bad"]
    finish(second)


def test_a_retry_asks_again_where_nobody_answered_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakeQueue()
    world.cloud._clients["sqs", "", None] = queue
    world.create(definition(callback("Ask")))
    with monkeypatch.context() as patch:
        patch.setattr(callback_step, "LONGEST_SECONDS", -1.0)
        arn = world.start()
        assert world.wait(arn)["PipelineExecutionStatus"] == "Failed"
    assert "nobody answered the callback within" in world.steps(arn)["Ask"]["FailureReason"]
    with pytest.raises(ServiceError, match="does not wait for an answer any more"):
        answer(world, queue.messages[0]["token"])
    world.retry(arn)
    world.until(lambda: len(queue.messages) == 2)
    answer(world, queue.messages[1]["token"])
    assert world.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.parametrize("stopped", [False, True])
def test_a_function_that_does_not_answer_in_time_fails_the_execution(
    world: World, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """Also when the execution was stopped meanwhile: "Lambda step" in the developer guide."""
    called, go_on = threading.Event(), threading.Event()

    class Slow:
        def invoke(self, **request: Any) -> dict[str, Any]:
            called.set()
            go_on.wait(20)
            raise ClientError({"Error": {"Code": "Late", "Message": "nobody waits"}}, "Invoke")

    world.cloud.aws = lambda service, role="", seconds=None: Slow()  # type: ignore[method-assign]
    world.create(definition({"Name": "Call", "Type": "Lambda", "FunctionArn": "f", "Arguments": {}}))
    arn = world.start()
    assert called.wait(20)
    if stopped:
        world.stop(arn)
    monkeypatch.setattr(lambda_step, "LONGEST_SECONDS", 0.0)
    world.cloud.wake()
    assert world.wait(arn)["PipelineExecutionStatus"] == "Failed"
    assert "Lambda function f timed out" in world.steps(arn)["Call"]["FailureReason"]
    go_on.set()
