"""Pipelines that leave SageMaker: functions and queues, written as the developer guide's examples are.

The form of the steps is what the SDK's LambdaStep and CallbackStep render; the first test uses them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud
from engine_support import condition, fail
from local_functions import Functions
from pipeline_client import PipelineClient, output, outputs, rendered

SPLIT = """
def handler(event, context):
    rows = int(event["rows"])
    if rows < 0:
        raise ValueError(f"{rows} rows cannot be split")
    return {"statusCode": 200, "train": rows * 8 // 10, "share": 0.8, "good": True, "where": {"key": event["prefix"]}}
"""
SDK = """
import sys
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline

function, queue = sys.argv[1:]
rows = CallbackOutput(output_name="rows")
ask = CallbackStep(name="Ask", sqs_queue_url=queue, inputs={"rows": 5, "text": "some"}, outputs=[rows])
split = LambdaStep(
    name="Split",
    lambda_func=Lambda(function_arn=function),
    inputs={"rows": ask.properties.Outputs["rows"], "prefix": "p"},
    outputs=[LambdaOutput(output_name="train"), LambdaOutput(output_name="where")],
)
print(Pipeline(name="p", steps=[split, ask]).definition())
"""
SDK_ON_FAILURE = """
import sys
from sagemaker.core.lambda_helper import Lambda
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaStep
from sagemaker.mlops.workflow import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.pipeline import Pipeline

function = Lambda(function_arn=sys.argv[1])
train = LambdaOutput(output_name="train")
split = LambdaStep(name="Split", lambda_func=function, inputs={"rows": -1, "prefix": "p"}, outputs=[train])
use = LambdaStep(name="Use", lambda_func=function, inputs={"rows": split.properties.Outputs["train"], "prefix": "u"})
told = {"rows": 1, "prefix": "told"}
failed = StepDependency(split, TriggerCondition.FAILED)
notify = LambdaStep(name="NotifyOnFailure", lambda_func=function, inputs=told, depends_on=[failed])
always = LambdaStep(name="Always", lambda_func=function, inputs=told, depends_on=[notify])
print(Pipeline(name="p", steps=[split, use, notify, always]).definition())
"""
ROWS = {"Name": "Rows", "Type": "Integer", "DefaultValue": 50}


@pytest.fixture(scope="session")
def split(functions: Functions) -> str:
    name = functions.create(SPLIT)
    return str(functions.client.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


@pytest.fixture
def queue(pipelines_client: PipelineClient, request: pytest.FixtureRequest) -> str:
    name = f"callbacks-{abs(hash(request.node.name))}"
    return str(pipelines_client.sqs.create_queue(QueueName=name)["QueueUrl"])


def splitting(function: str, **types: str) -> dict[str, Any]:
    return {
        "Name": "Split",
        "Type": "Lambda",
        "Arguments": {"rows": {"Get": "Parameters.Rows"}, "prefix": {"Get": "Execution.PipelineExecutionId"}},
        "FunctionArn": function,
        "OutputParameters": outputs(**types),
    }


def asking(queue: str, **arguments: Any) -> dict[str, Any]:
    return {
        "Name": "Ask",
        "Type": "Callback",
        "Arguments": arguments,
        "SqsQueueUrl": queue,
        "OutputParameters": outputs(rows="Integer", answer="String"),
    }


def test_steps_that_the_sdk_renders_run_one_after_the_other(
    pipelines_client: PipelineClient, split: str, queue: str, local_cloud: LocalCloud
) -> None:
    steps = rendered(local_cloud, SDK, split, queue)
    arn = pipelines_client.start(pipelines_client.create(*steps))
    message = pipelines_client.message(queue)
    assert message == {
        "token": message["token"],
        "pipelineExecutionArn": arn,
        "arguments": {"rows": 5, "text": "some"},
        "status": "Executing",
    }
    answer = pipelines_client.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[{"Name": "rows", "Value": "10"}]
    )
    assert answer["PipelineExecutionArn"] == arn
    execution, ended = pipelines_client.wait(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    given = [{"Name": "rows", "Value": "10"}]
    callback = {"CallbackToken": message["token"], "SqsQueueUrl": queue, "OutputParameters": given}
    assert ended["Ask"]["Metadata"]["Callback"] == callback
    assert ended["Split"]["Metadata"]["Lambda"] == {
        "Arn": split,
        "OutputParameters": [{"Name": "train", "Value": "8"}, {"Name": "where", "Value": '{"key": "p"}'}],
    }


def test_a_step_that_depends_on_a_failure_runs_and_the_execution_completes_with_failures(
    pipelines_client: PipelineClient, split: str, local_cloud: LocalCloud
) -> None:
    steps = rendered(local_cloud, SDK_ON_FAILURE, split)
    assert steps[2]["DependsOn"] == [{"Step": "Split", "Trigger": "Failed"}]
    execution, ended = pipelines_client.run(*steps)
    assert execution["PipelineExecutionStatus"] == "CompletedWithFailures"
    assert "-1 rows cannot be split" in execution["FailureReason"]
    assert {name: step["StepStatus"] for name, step in ended.items()} == {
        "Split": "Failed",
        "NotifyOnFailure": "Succeeded",
        "Always": "Succeeded",
    }


@pytest.mark.parametrize(("rows", "reached"), [("100", {"Split", "Enough"}), ("10", {"Split", "Enough", "Few"})])
def test_outputs_of_a_function_have_their_types_in_conditions(
    pipelines_client: PipelineClient, split: str, rows: str, reached: set[str]
) -> None:
    conditions = [
        {"Type": "GreaterThan", "LeftValue": output("Split", "train"), "RightValue": 50},
        {"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": output("Split", "good"), "RightValue": False}},
        {"Type": "In", "QueryValue": output("Split", "share"), "Values": [0.5, 0.8]},
    ]
    message = {"Std:Join": {"On": " of ", "Values": [output("Split", "train"), {"Get": "Parameters.Rows"}]}}
    execution, steps = pipelines_client.run(
        splitting(split, train="Integer", good="Boolean", share="Float"),
        condition("Enough", *conditions, no=[fail("Few", message)]),
        parameters=[ROWS],
        Rows=rows,
    )
    assert set(steps) == reached
    if "Few" in reached:
        assert steps["Few"]["FailureReason"] == "8 of 10"
    else:
        assert execution["PipelineExecutionStatus"] == "Succeeded"


def test_a_function_is_not_called_again_when_its_answer_is_cached(
    pipelines_client: PipelineClient, functions: Functions, split: str
) -> None:
    step = {**splitting(split, train="Integer"), "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    step["Arguments"] = {"rows": 20, "prefix": "cached"}
    name = pipelines_client.create(step, condition("Use", {"Type": "Equals", "LeftValue": 16, "RightValue": 16}))
    first, second = (pipelines_client.wait(pipelines_client.start(name)) for _ in range(2))
    source = {"SourcePipelineExecutionArn": first[0]["PipelineExecutionArn"]}
    assert second[1]["Split"]["CacheHitResult"] == source
    assert second[1]["Split"]["Metadata"] == first[1]["Split"]["Metadata"]


@pytest.mark.parametrize(
    ("rows", "outputs", "reason"),
    [
        ("-1", {"train": "Integer"}, "failed: ValueError: -1 rows cannot be split"),
        ("1", {"test": "Integer"}, "the output 'test' is missing; what came has statusCode, train"),
        ("1", {"where": "Integer"}, "the output 'where' is {'key': "),
    ],
)
def test_a_function_that_fails_or_gives_something_else_fails_the_step(
    pipelines_client: PipelineClient, split: str, rows: str, outputs: dict[str, str], reason: str
) -> None:
    execution, steps = pipelines_client.run(splitting(split, **outputs), parameters=[ROWS], Rows=rows)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert reason in steps["Split"]["FailureReason"]


def test_a_function_that_is_not_there_fails_the_step(pipelines_client: PipelineClient) -> None:
    nobody = "arn:aws:lambda:us-east-1:000000000000:function:nobody"
    _, steps = pipelines_client.run(splitting(nobody), parameters=[ROWS])
    assert f"Lambda function {nobody} could not be invoked" in steps["Split"]["FailureReason"]
    assert "ResourceNotFoundException" in steps["Split"]["FailureReason"]


def test_a_callback_fails_with_the_reason_that_is_sent(pipelines_client: PipelineClient, queue: str) -> None:
    arn = pipelines_client.start(pipelines_client.create(asking(queue)))
    token = pipelines_client.message(queue)["token"]
    send = pipelines_client.sagemaker.send_pipeline_execution_step_failure
    request = {"CallbackToken": token, "FailureReason": "the labels did not come", "ClientRequestToken": "c" * 32}
    assert send(**request)["PipelineExecutionArn"] == send(**request)["PipelineExecutionArn"] == arn
    _, steps = pipelines_client.wait(arn)
    assert steps["Ask"]["FailureReason"] == "the labels did not come"
    with pytest.raises(ClientError, match="ConflictException"):
        send(CallbackToken=token, FailureReason="another")
    with pytest.raises(ClientError, match=r"ResourceNotFound.*token zzzzzzzzzz"):
        send(CallbackToken="z" * 10)


def test_an_execution_that_is_stopped_waits_for_its_callback(pipelines_client: PipelineClient, queue: str) -> None:
    arn = pipelines_client.start(
        pipelines_client.create(asking(queue, number=5), fail("After", "no", DependsOn=["Ask"]))
    )
    token = pipelines_client.message(queue)["token"]
    pipelines_client.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines_client.message(queue) == {
        "token": token,
        "pipelineExecutionArn": arn,
        "arguments": {"number": 5},
        "status": "Stopping",
    }
    assert pipelines_client.describe(arn)["PipelineExecutionStatus"] == "Stopping"
    values = [{"Name": "rows", "Value": "1"}, {"Name": "answer", "Value": json.dumps({"nested": 1})}]
    pipelines_client.sagemaker.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=values)
    execution, steps = pipelines_client.wait(arn)
    assert execution["PipelineExecutionStatus"] == "Stopped"
    assert {name: step["StepStatus"] for name, step in steps.items()} == {"Ask": "Succeeded"}


def test_a_queue_that_is_not_there_fails_the_step(pipelines_client: PipelineClient, queue: str) -> None:
    _, steps = pipelines_client.run(asking(queue + "-gone"))
    assert "no message can be sent to the queue" in steps["Ask"]["FailureReason"]
