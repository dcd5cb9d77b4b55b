"""A task waits for who has its token: behind SQS and SNS, and in functions.

AWS: developer guide, "Wait for a Callback with Task Token"; recorded answers.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

import boto3
import pytest
from cloud_fixtures import OPEN_QUEUE, eventually
from job_support import unique
from local_functions import Functions
from stepfunctions_support import Machines, call, succeeded


def token_of(sqs: Any, queue: str) -> str:
    found: list[str] = []

    def received() -> bool:
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            body = json.loads(message["Body"])
            found.append(body.get("token") or json.loads(body["Message"])["token"])
        return bool(found)

    eventually(received, 30)
    return found[0]


@pytest.mark.parametrize("service", ["sqs", "sns", "aws-sdk:sqs"])
def test_a_task_waits_for_who_has_its_token(cloud_machines: Machines, service: str) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue = sqs.create_queue(QueueName=unique("tokens"), Attributes=OPEN_QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=unique("tokens"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    body = {"token.$": "$$.Task.Token"}
    resource, parameters = {
        "sqs": ("sqs:sendMessage", {"QueueUrl": queue, "MessageBody": body}),
        "sns": ("sns:publish", {"TopicArn": topic, "Message": body}),
        "aws-sdk:sqs": ("aws-sdk:sqs:sendMessage", {"QueueUrl": queue, "MessageBody": body}),
    }[service]
    asks = call(
        f"{resource}.waitForTaskToken",
        parameters,
        TimeoutSeconds=60,
        Catch=[{"ErrorEquals": ["Refused"], "ResultPath": "$.refused", "Next": "Ask"}],
        ResultPath="$.answer",
    )
    machine = cloud_machines.make({"Ask": asks}, unique("waits"))
    execution = cloud_machines.client.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    cloud_machines.client.send_task_failure(taskToken=token_of(sqs, queue), error="Refused", cause="not yet")
    cloud_machines.client.send_task_success(taskToken=token_of(sqs, queue), output='{"yes": true}')
    output = succeeded(cloud_machines.ended(execution))
    assert output == {"refused": {"Error": "Refused", "Cause": "not yet"}, "answer": {"yes": True}}


def test_a_function_gets_the_token_and_a_silent_worker_is_noticed(
    cloud_machines: Machines, functions: Functions
) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=unique("heartbeats"))["QueueUrl"]
    source = f"""
        import boto3, json
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl={queue!r}, MessageBody=json.dumps(event))
    """
    payload = {"token.$": "$$.Task.Token", "order.$": "$.order"}
    asks = call(
        "lambda:invoke.waitForTaskToken",
        {"FunctionName": functions.create(textwrap.dedent(source)), "Payload": payload},
        HeartbeatSeconds=1,
        TimeoutSeconds=60,
        Catch=[{"ErrorEquals": ["States.HeartbeatTimeout"], "ResultPath": "$.silent", "Next": "Silent"}],
    )
    states = {"Ask": asks, "Silent": {"Type": "Pass", "OutputPath": "$.silent", "End": True}}
    machine = cloud_machines.make(states, unique("beats"))
    execution = cloud_machines.client.start_execution(stateMachineArn=machine, input='{"order": 5}')["executionArn"]
    token = token_of(sqs, queue)
    cloud_machines.client.send_task_heartbeat(taskToken=token)
    assert succeeded(cloud_machines.ended(execution))["Error"] == "States.Timeout"  # recorded
    with pytest.raises(cloud_machines.client.exceptions.TaskTimedOut):
        cloud_machines.client.send_task_success(taskToken=token, output="{}")


def test_a_function_may_answer_before_it_returns(cloud_machines: Machines, functions: Functions) -> None:
    source = """
        import boto3
        def handler(event, context):
            states = boto3.client("stepfunctions")
            states.send_task_heartbeat(taskToken=event["token"])
            states.send_task_success(taskToken=event["token"], output='"at once"')
    """
    asks = call(
        "lambda:invoke.waitForTaskToken",
        {"FunctionName": functions.create(textwrap.dedent(source)), "Payload": {"token.$": "$$.Task.Token"}},
        HeartbeatSeconds=1,
    )
    assert succeeded(cloud_machines.run({"Ask": asks}, {}, unique("quick"))) == "at once"
