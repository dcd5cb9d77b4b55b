"""What starts executions of a stack's state machine: rules, schedules, objects in a bucket and functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud, eventually
from job_support import unique

CODE = """
import boto3, json, os
def handler(event, context):
    record = event["Records"][0]["s3"]
    document = {"bucket": record["bucket"]["name"], "key": record["object"]["key"]}
    boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["MACHINE"], input=json.dumps(document))
"""


def scheduled(target: Any, given: Any) -> dict[str, Any]:
    """A schedule of a template, at the time `At`."""
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": {"Ref": "At"},
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": target, "RoleArn": {"Ref": "Role"}, "Input": given},
        },
    }


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Name": {"Type": "String"}, "Role": {"Type": "String"}, "At": {"Type": "String"}},
    "Resources": {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Ref": "Role"},
                "Definition": {
                    "StartAt": "Keep",
                    "States": {
                        "Keep": {"Type": "Pass", "Parameters": {"stack": "${Stack}", "got.$": "$"}, "End": True}
                    },
                },
                "DefinitionSubstitutions": {"Stack": {"Ref": "AWS::StackName"}},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": [{"Ref": "Name"}], "detail": {"wheels": [{"numeric": [">", 2]}]}},
                "Targets": [
                    {
                        "Id": "machine",
                        "Arn": {"Fn::GetAtt": ["Machine", "Arn"]},
                        "RoleArn": {"Ref": "Role"},
                        "InputPath": "$.detail",
                    }
                ],
            },
        },
        "Schedule": scheduled({"Ref": "Machine"}, '{"tick": 1}'),
        "AnyOperation": scheduled(
            "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
            {
                "Fn::Sub": json.dumps(
                    {
                        "StateMachineArn": "${Machine}",
                        "Name": "<aws.scheduler.execution-id>",
                        "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
                    }
                )
            },
        ),
        "Arrivals": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": "${Name}-arrivals"},
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            },
        },
        "Arrived": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [{"Ref": "Arrivals"}]}, "object": {"key": [{"prefix": "in/"}]}},
                },
                "Targets": [{"Id": "machine", "Arn": {"Ref": "Machine"}, "RoleArn": {"Ref": "Role"}}],
            },
        },
        "Starter": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": {"Ref": "Role"},
                "Code": {"ZipFile": CODE},
                "Environment": {"Variables": {"MACHINE": {"Ref": "Machine"}}},
            },
        },
        "MayStart": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Starter"},
                "Principal": "s3.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:aws:s3:::${Name}-notified"},
            },
        },
        "Notified": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": "MayStart",
            "Properties": {
                "BucketName": {"Fn::Sub": "${Name}-notified"},
                "NotificationConfiguration": {
                    "LambdaConfigurations": [
                        {"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["Starter", "Arn"]}}
                    ]
                },
            },
        },
    },
    "Outputs": {"Machine": {"Value": {"Ref": "Machine"}}},
}


class Stack:
    """The stack, and what its machine's executions got."""

    def __init__(self, cloud: LocalCloud, name: str) -> None:
        self.cloud, self.name = cloud, name
        self.machine = ""

    def client(self, service: str) -> Any:
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.cloud.addresses.ministack)

    def got(self, member: str) -> Any:
        """What the execution got whose input has that member, once there is one."""
        states, found = self.client("stepfunctions"), []

        def ended() -> bool:
            done = states.list_executions(stateMachineArn=self.machine, statusFilter="SUCCEEDED")["executions"]
            texts = [states.describe_execution(executionArn=one["executionArn"])["output"] for one in done]
            outputs = [json.loads(text) for text in texts]
            assert all(output["stack"] == self.name for output in outputs)
            found[:] = [output["got"] for output in outputs if member in output["got"]]
            return bool(found)

        eventually(ended, 30)
        (only,) = found
        return only


@pytest.fixture(scope="module")
def stack(local_cloud: LocalCloud) -> Iterator[Stack]:
    made = Stack(local_cloud, unique("triggers"))
    cloudformation = made.client("cloudformation")
    parameters = {"Name": made.name, "Role": ANY_ROLE, "At": f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})"}
    cloudformation.create_stack(
        StackName=made.name,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=made.name, WaiterConfig={"Delay": 1})
    (described,) = cloudformation.describe_stacks(StackName=made.name)["Stacks"]
    made.machine = described["Outputs"][0]["OutputValue"]
    yield made


def test_a_rule_starts_an_execution_with_the_part_that_it_picks(stack: Stack) -> None:
    entry = {"Source": stack.name, "DetailType": "vehicle"}
    details = [{**entry, "Detail": json.dumps({"wheels": wheels})} for wheels in (2, 4)]
    stack.client("events").put_events(Entries=details)
    assert stack.got("wheels") == {"wheels": 4}


def test_a_schedule_starts_an_execution_with_its_input(stack: Stack) -> None:
    assert stack.got("tick") == {"tick": 1}


def test_a_schedule_calls_start_execution_itself(stack: Stack) -> None:
    moment = datetime.fromisoformat(stack.got("at")["at"])
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 600


def test_an_object_starts_an_execution_by_way_of_eventbridge(stack: Stack) -> None:
    for key in ("out/b.png", "in/a.png"):
        stack.client("s3").put_object(Bucket=f"{stack.name}-arrivals", Key=key, Body=b"123")
    event = stack.got("detail-type")
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["size"]) == ("in/a.png", 3)


def test_an_object_starts_an_execution_by_way_of_a_function(stack: Stack) -> None:
    stack.client("s3").put_object(Bucket=f"{stack.name}-notified", Key="a.png", Body=b"123")
    assert stack.got("bucket") == {"bucket": f"{stack.name}-notified", "key": "a.png"}
