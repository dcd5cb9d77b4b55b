"""State machines call functions as on AWS: strings are payloads, and forty executions at once end well."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually
from local_functions import Functions

KIND = "def handler(event, context):\n    return {'type': type(event).__name__, 'event': event}\n"
STEP = "def handler(event, context):\n    return event + 1\n"
CONSOLES_RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 1,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
]
"""What the console puts on every Lambda task that is drawn in it."""
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def task(function: str, **more: Any) -> dict[str, Any]:
    """A task as the console writes it."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Retry": CONSOLES_RETRY,
        **more,
    }


class Machines:
    """State machines of the local cloud."""

    def __init__(self) -> None:
        self.client = boto3.client("stepfunctions")

    def create(self, *tasks: dict[str, Any]) -> str:
        names = [f"Task{number}" for number in range(len(tasks))]
        states = {n: {**t, "Next": after} for n, t, after in zip(names, tasks, [*names[1:], "Last"], strict=True)}
        definition = {"StartAt": names[0], "States": {**states, "Last": {"Type": "Succeed"}}}
        answer = self.client.create_state_machine(
            name=f"tasks-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=ANY_ROLE
        )
        arn: str = answer["stateMachineArn"]
        return arn

    def run(self, machine: str, inputs: list[Any]) -> list[dict[str, Any]]:
        """The executions, all at once, as they ended."""
        start = self.client.start_execution
        started = [start(stateMachineArn=machine, input=json.dumps(one))["executionArn"] for one in inputs]

        def found() -> list[dict[str, Any]]:
            return [self.client.describe_execution(executionArn=arn) for arn in started]

        eventually(lambda: all(one["status"] in ENDED for one in found()))
        return found()


@pytest.fixture
def machines(on_local_cloud: LocalCloud) -> Machines:
    return Machines()


@pytest.mark.parametrize(
    ("event", "received"),
    [
        ('{"image": "a.png"}', {"type": "dict", "event": {"image": "a.png"}}),
        ("[1, 2]", {"type": "list", "event": [1, 2]}),
        ({"image": "a.png"}, {"type": "dict", "event": {"image": "a.png"}}),
    ],
)
def test_a_payload_that_is_a_json_string_is_the_event(
    functions: Functions, machines: Machines, event: Any, received: dict[str, Any]
) -> None:
    machine = machines.create(task(functions.create(KIND), InputPath="$.body"))
    (done,) = machines.run(machine, [{"body": event}])
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", received)


def test_forty_executions_at_once_end_well(functions: Functions, machines: Machines) -> None:
    machine = machines.create(*(task(functions.create(STEP)) for _ in range(3)))
    done = machines.run(machine, list(range(40)))
    assert [(one["status"], one.get("output")) for one in done] == [("SUCCEEDED", str(n + 3)) for n in range(40)]


def test_a_throttled_call_fails_under_aws_name(functions: Functions, machines: Machines) -> None:
    function = functions.create(STEP)
    functions.client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    (done,) = machines.run(machines.create(task(function, Retry=[])), [1])
    assert (done["status"], done["error"]) == ("FAILED", "Lambda.TooManyRequestsException")
    assert done["cause"].startswith("Rate Exceeded")


def test_an_exception_is_caught_by_its_class(functions: Functions, machines: Machines) -> None:
    function = functions.create("def handler(event, context):\n    raise ValueError('no wheels')\n")
    caught = {"Catch": [{"ErrorEquals": ["ValueError"], "Next": "Last", "ResultPath": "$.error"}]}
    (done,) = machines.run(machines.create(task(function, **caught)), [{}])
    assert done["status"] == "SUCCEEDED"
    assert json.loads(json.loads(done["output"])["error"]["Cause"])["errorMessage"] == "no wheels"
