"""State machines call S3, SQS, SNS, EventBridge, SSM, DynamoDB, Lambda and each other, as strangers write them.

AWS: developer guide, "Learning to use AWS service SDK integrations" and the pages of the optimized integrations;
recorded answers, as localcloud/stepfunctions/engine/overrides/members.py and task_errors.py say.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

import boto3
import pytest
from cloud_fixtures import OPEN_QUEUE, LocalCloud, eventually
from job_support import Bucket, unique
from local_functions import Functions
from stepfunctions_support import Machines

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@pytest.fixture
def machines(on_local_cloud: LocalCloud) -> Machines:
    return Machines(boto3.client("stepfunctions"))


def call(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    ends = {} if "Next" in more else {"End": True}
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, **ends, **more}


def succeeded(ended: dict[str, Any]) -> Any:
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    return json.loads(ended["output"])


def test_objects_are_written_listed_copied_and_read(machines: Machines, bucket: Bucket) -> None:
    states = {
        "Put": call(
            "aws-sdk:s3:putObject",
            {"Bucket.$": "$.bucket", "Key": "in/a.json", "Body.$": "$.body", "ContentType": "application/json"},
            ResultPath="$.put",
            Next="Text",
        ),
        "Text": call(
            "aws-sdk:s3:putObject",
            {"Bucket.$": "$.bucket", "Key": "in/b.txt", "Body": "text data"},
            ResultPath="$.text",
            Next="Copy",
        ),
        "Copy": call(
            "aws-sdk:s3:copyObject",
            {"Bucket.$": "$.bucket", "Key": "out/a.json", "CopySource.$": "States.Format('{}/in/a.json', $.bucket)"},
            ResultPath="$.copied",
            Next="List",
        ),
        "List": call(
            "aws-sdk:s3:listObjectsV2", {"Bucket.$": "$.bucket", "Prefix": "out/"}, ResultPath="$.listed", Next="Get"
        ),
        "Get": call(
            "aws-sdk:s3:getObject",
            {"Bucket.$": "$.bucket", "Key.$": "$.listed.Contents[0].Key"},
            ResultSelector={
                "Body.$": "States.StringToJson($.Body)",
                "ETag.$": "$.ETag",
                "When.$": "$.LastModified",
            },
            ResultPath="$.got",
        ),
    }
    value = {"bucket": bucket.name, "body": {"wheels": 4, "name": "Ä"}}
    output = succeeded(machines.run(states, value, unique("objects")))
    assert output["got"]["Body"] == value["body"]
    assert INSTANT.fullmatch(output["got"]["When"])
    assert output["got"]["ETag"] == output["put"]["ETag"]
    (listed,) = output["listed"]["Contents"]
    assert (output["listed"]["KeyCount"], listed["Key"], listed["Size"]) == (
        1,
        "out/a.json",
        len(bucket.get("in/a.json")),
    )
    assert INSTANT.fullmatch(output["copied"]["CopyObjectResult"]["LastModified"])
    assert "ResponseMetadata" not in output["put"]
    assert bucket.get("in/b.txt") == b'"text data"'  # recorded: a body is JSON


@pytest.mark.parametrize(
    ("resource", "parameters", "error", "cause"),
    [
        (
            "aws-sdk:s3:getObject",
            {"Key": "none"},
            "S3.NoSuchKeyException",
            "(Service: S3, Status Code: 404, Request ID: ",
        ),
        ("aws-sdk:s3:headObject", {"Key": "none"}, "S3.NoSuchKeyException", "(Service: S3, Status Code: 404, "),
        (
            "aws-sdk:s3:getObject",
            {"Key": "a", "Range": "bytes=9-"},
            "S3.S3Exception",
            "(Service: S3, Status Code: 416, ",
        ),
        ("aws-sdk:s3:listObjectsV2", {"Bucket": "nobodys-bucket"}, "S3.NoSuchBucketException", "Status Code: 404"),
        (
            "aws-sdk:ssm:getParameter",
            {"Name": "none"},
            "Ssm.ParameterNotFoundException",
            "(Service: Ssm, Status Code: 400",
        ),
        (
            "aws-sdk:sqs:sendMessage",
            {"QueueUrl": "http://127.0.0.1/000000000000/none", "MessageBody": "m"},
            "Sqs.QueueDoesNotExistException",
            "(Service: Sqs, Status Code: 400, Request ID: ",
        ),
        (
            "sqs:sendMessage",
            {"QueueUrl": "http://127.0.0.1/000000000000/none", "MessageBody": "m"},
            "SQS.QueueDoesNotExistException",
            "(Service: AmazonSQS; Status Code: 400; Error Code: AWS.SimpleQueueService.NonExistentQueue; Request ID: ",
        ),
        (
            "sns:publish",
            {"TopicArn": "arn:aws:sns:us-east-1:000000000000:none", "Message": "m"},
            "SNS.NotFoundException",
            "(Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: ",
        ),
        (
            "aws-sdk:sagemaker:describeModel",
            {"ModelName": "none"},
            "SageMaker.SageMakerException",
            "(Service: SageMaker, Status Code: 400, Request ID: ",
        ),
        (
            "aws-sdk:sagemaker:describePipeline",
            {"PipelineName": "none"},
            "SageMaker.ResourceNotFoundException",
            "(Service: SageMaker, Status Code: 400, Request ID: ",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "none", "Key": {"id": {"S": "a"}}},
            "DynamoDB.ResourceNotFoundException",
            "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: ",
        ),
        (
            "aws-sdk:dynamodb:getItem",
            {"TableName": "none", "Key": {"id": {"S": "a"}}},
            "DynamoDb.ResourceNotFoundException",
            "(Service: DynamoDb, Status Code: 400, Request ID: ",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:none"},
            "StepFunctions.StateMachineDoesNotExistException",
            "(Service: AWSStepFunctions; Status Code: 400; Error Code: StateMachineDoesNotExist; Request ID: ",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "none"},
            "Lambda.ResourceNotFoundException",
            "(Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ",
        ),
    ],
)
def test_an_error_of_a_service_is_retried_and_caught_by_awss_name(
    machines: Machines, bucket: Bucket, resource: str, parameters: dict[str, Any], error: str, cause: str
) -> None:
    if ":s3:" in resource:
        bucket.put("a", "short")
        parameters = {"Bucket": bucket.name, **parameters}
    retry = [{"ErrorEquals": ["Nobody.Exception"]}, {"ErrorEquals": [error], "IntervalSeconds": 1, "MaxAttempts": 0}]
    catch = [
        {"ErrorEquals": ["States.Runtime", "Nobody.Exception"], "Next": "Wrong"},
        {"ErrorEquals": [error], "ResultPath": "$.failed", "Next": "Told"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failed", "Next": "Wrong"},
    ]
    told = {"Type": "Pass", "OutputPath": "$.failed", "End": True}
    states = {"Call": call(resource, parameters, Retry=retry, Catch=catch), "Told": told, "Wrong": told}
    failed = succeeded(machines.run(states, {}, unique("errors")))
    assert (failed["Error"], cause in failed["Cause"]) == (error, True), failed


def test_states_task_failed_catches_errors_of_services(machines: Machines) -> None:
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Told"}]
    states = {
        "Read": call("aws-sdk:ssm:getParameter", {"Name": "none"}, Catch=catch),
        "Told": {"Type": "Pass", "End": True},
    }
    assert succeeded(machines.run(states, {}, unique("caught")))["Error"] == "Ssm.ParameterNotFoundException"


def test_a_parameter_is_read_in_jsonata(machines: Machines) -> None:
    name = f"/{unique('threshold')}"
    boto3.client("ssm").put_parameter(Name=name, Value="0.75", Type="String")
    states = {
        "Read": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
            "Arguments": {"Name": "{% $states.input.name %}"},
            "Assign": {"changed": "{% $states.result.Parameter.LastModifiedDate %}"},
            "Output": {"value": "{% $number($states.result.Parameter.Value) %}", "age": "{% $millis() %}"},
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Pass",
            "Output": {"value": "{% $states.input.value %}", "at": "{% $changed %}"},
            "End": True,
        },
    }
    output = succeeded(machines.run(states, {"name": name}, unique("reads"), QueryLanguage="JSONata"))
    assert output["value"] == 0.75
    assert INSTANT.fullmatch(output["at"])


def test_an_item_is_put_read_changed_and_deleted(machines: Machines) -> None:
    table = unique("table")
    boto3.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"TableName": table, "Key": {"id": {"S.$": "$.id"}}}
    item = {"id": {"S.$": "$.id"}, "count": {"N": "1"}, "done": {"BOOL": False}}
    change = {
        **key,
        "UpdateExpression": "SET #c = #c + :one",
        "ExpressionAttributeNames": {"#c": "count"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    }
    unmatched = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
    states = {
        "Put": call("dynamodb:putItem", {"TableName": table, "Item": item}, ResultPath="$.put", Next="Again"),
        "Again": call(
            "dynamodb:putItem",
            unmatched,
            Catch=[
                {"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "ResultPath": "$.again", "Next": "Change"}
            ],
        ),
        "Change": call("dynamodb:updateItem", change, ResultPath="$.changed", Next="Get"),
        "Get": call("aws-sdk:dynamodb:getItem", key, ResultPath="$.got", Next="Delete"),
        "Delete": call("dynamodb:deleteItem", key, ResultPath="$.deleted", Next="Gone"),
        "Gone": call("dynamodb:getItem", key, ResultPath="$.gone"),
    }
    output = succeeded(machines.run(states, {"id": "a"}, unique("items")))
    assert output["again"]["Error"] == "DynamoDB.ConditionalCheckFailedException"
    whole = {"id": {"S": "a"}, "count": {"N": "2"}, "done": {"BOOL": False}}
    assert output["changed"]["Attributes"] == whole
    assert output["got"] == {"Item": whole}
    assert "Item" not in output["gone"]
    assert output["put"]["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_a_message_a_notification_and_an_event_are_sent(machines: Machines) -> None:
    sqs, sns, events = boto3.client("sqs"), boto3.client("sns"), boto3.client("events")
    queue = sqs.create_queue(QueueName=unique("queue"), Attributes=OPEN_QUEUE)["QueueUrl"]
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    entry = {"Source": rule, "DetailType": "told", "Detail": {"from.$": "$.name"}}
    states = {
        "Send": call(
            "sqs:sendMessage",
            {"QueueUrl": queue, "MessageBody": {"from.$": "$.name"}},
            ResultPath="$.sent",
            Next="Publish",
        ),
        "Publish": call(
            "sns:publish", {"TopicArn": topic, "Message": {"to.$": "$.name"}}, ResultPath="$.published", Next="Put"
        ),
        "Put": call("events:putEvents", {"Entries": [entry]}, ResultPath="$.put"),
    }
    ended = machines.run(states, {"name": "Ada"}, unique("tells"))
    output = succeeded(ended)
    assert {"MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"} <= set(output["sent"])
    assert {"MessageId", "SdkHttpMetadata", "SdkResponseMetadata"} <= set(output["published"])
    assert set(output["put"]) == {"Entries", "FailedEntryCount"}  # recorded: without the SDK's metadata
    bodies: list[Any] = []

    def received() -> bool:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        bodies.extend(json.loads(message["Body"]) for message in messages)
        return len(bodies) == 3

    eventually(received, 30)
    event = next(body for body in bodies if "detail" in body)
    assert {"from": "Ada"} in bodies and {"to": "Ada"} in bodies
    assert event["detail"] == {"from": "Ada"}
    assert event["resources"] == [ended["stateMachineArn"], ended["executionArn"]]  # recorded


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
def test_a_task_waits_for_who_has_its_token(machines: Machines, service: str) -> None:
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
    machine = machines.make({"Ask": asks}, unique("waits"))
    execution = machines.client.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    machines.client.send_task_failure(taskToken=token_of(sqs, queue), error="Refused", cause="not yet")
    machines.client.send_task_success(taskToken=token_of(sqs, queue), output='{"yes": true}')
    output = succeeded(machines.ended(execution))
    assert output == {"refused": {"Error": "Refused", "Cause": "not yet"}, "answer": {"yes": True}}


def test_a_function_gets_the_token_and_a_silent_worker_is_noticed(machines: Machines, functions: Functions) -> None:
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
    machine = machines.make(states, unique("beats"))
    execution = machines.client.start_execution(stateMachineArn=machine, input='{"order": 5}')["executionArn"]
    token = token_of(sqs, queue)
    machines.client.send_task_heartbeat(taskToken=token)
    assert succeeded(machines.ended(execution))["Error"] == "States.Timeout"  # recorded
    with pytest.raises(machines.client.exceptions.TaskTimedOut):
        machines.client.send_task_success(taskToken=token, output="{}")


def test_a_function_may_answer_before_it_returns(machines: Machines, functions: Functions) -> None:
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
    assert succeeded(machines.run({"Ask": asks}, {}, unique("quick"))) == "at once"


@pytest.mark.parametrize(("pattern", "output"), [(".sync:2", {"n": 5}), (".sync", '{"n":5}')])
def test_a_machine_runs_another_and_goes_on_with_its_output(machines: Machines, pattern: str, output: Any) -> None:
    child = machines.make({"Add": {"Type": "Pass", "End": True}}, unique("child"))
    given = {
        "StateMachineArn": child,
        "Input": {"n.$": "$.n", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id"},
    }
    del given["Input"]["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"]
    result = succeeded(
        machines.run({"Run": call(f"states:startExecution{pattern}", given)}, {"n": 5}, unique("parent"))
    )
    assert (result["Status"], result["Output"], result["StateMachineArn"]) == ("SUCCEEDED", output, child)
    assert isinstance(result["StartDate"], int)


def test_a_child_that_fails_fails_its_parent_and_a_stopped_parent_stops_its_child(machines: Machines) -> None:
    failing = machines.make({"No": {"Type": "Fail", "Error": "Mine", "Cause": "no"}}, unique("child"))
    ended = machines.run(
        {"Run": call("states:startExecution.sync:2", {"StateMachineArn": failing})}, {}, unique("parent")
    )
    assert (ended["error"], json.loads(ended["cause"])["Error"]) == ("States.TaskFailed", "Mine")
    waiting = machines.make({"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}, unique("child"))
    parent = machines.make(
        {"Run": call("states:startExecution.sync:2", {"StateMachineArn": waiting, "Name": unique("run")})},
        unique("parent"),
    )
    execution = machines.client.start_execution(stateMachineArn=parent)["executionArn"]

    def children(status: str) -> Any:
        return machines.client.list_executions(stateMachineArn=waiting, statusFilter=status)["executions"]

    eventually(lambda: children("RUNNING"), 30)
    machines.client.stop_execution(executionArn=execution)
    eventually(lambda: children("ABORTED"), 30)
