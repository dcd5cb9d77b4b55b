"""State machines call S3, SQS, SNS, EventBridge, SSM and DynamoDB, as strangers write them.

AWS: developer guide, "Learning to use AWS service SDK integrations" and the pages of the optimized integrations;
recorded answers, as localcloud/stepfunctions/engine/overrides/members.py and task_errors.py say.
"""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
from cloud_fixtures import OPEN_QUEUE, eventually
from job_support import Bucket, unique
from stepfunctions_support import Machines, call, succeeded

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def test_objects_are_written_listed_copied_and_read(cloud_machines: Machines, bucket: Bucket) -> None:
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
    output = succeeded(cloud_machines.run(states, value, unique("objects")))
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


def test_a_parameter_is_read_in_jsonata(cloud_machines: Machines) -> None:
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
    output = succeeded(cloud_machines.run(states, {"name": name}, unique("reads"), QueryLanguage="JSONata"))
    assert output["value"] == 0.75
    assert INSTANT.fullmatch(output["at"])


def test_an_item_is_put_read_changed_and_deleted(cloud_machines: Machines) -> None:
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
    output = succeeded(cloud_machines.run(states, {"id": "a"}, unique("items")))
    assert output["again"]["Error"] == "DynamoDB.ConditionalCheckFailedException"
    whole = {"id": {"S": "a"}, "count": {"N": "2"}, "done": {"BOOL": False}}
    assert output["changed"]["Attributes"] == whole
    assert output["got"] == {"Item": whole}
    assert "Item" not in output["gone"]
    assert output["put"]["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_a_message_a_notification_and_an_event_are_sent(cloud_machines: Machines) -> None:
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
    ended = cloud_machines.run(states, {"name": "Ada"}, unique("tells"))
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
