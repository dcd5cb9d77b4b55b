"""Errors of services, by the names that AWS gives them.

AWS: recorded answers, as localcloud/stepfunctions/engine/overrides/task_errors.py says.
"""

from __future__ import annotations

from typing import Any

import pytest
from job_support import Bucket, unique
from stepfunctions_support import Machines, call, succeeded


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
    cloud_machines: Machines, bucket: Bucket, resource: str, parameters: dict[str, Any], error: str, cause: str
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
    failed = succeeded(cloud_machines.run(states, {}, unique("errors")))
    assert (failed["Error"], cause in failed["Cause"]) == (error, True), failed


def test_states_task_failed_catches_errors_of_services(cloud_machines: Machines) -> None:
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Told"}]
    states = {
        "Read": call("aws-sdk:ssm:getParameter", {"Name": "none"}, Catch=catch),
        "Told": {"Type": "Pass", "End": True},
    }
    assert succeeded(cloud_machines.run(states, {}, unique("caught")))["Error"] == "Ssm.ParameterNotFoundException"
