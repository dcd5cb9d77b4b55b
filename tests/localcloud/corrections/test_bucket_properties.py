"""What a template says of a bucket is what S3 describes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import pytest
from cloud_fixtures import LocalCloud

PROPERTIES = {
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"},
                "BucketKeyEnabled": "true",
            }
        ]
    },
    "LifecycleConfiguration": {
        "Rules": [
            {
                "Id": "forget",
                "Status": "Enabled",
                "NoncurrentVersionExpiration": {"NoncurrentDays": "90"},
                "ExpiredObjectDeleteMarker": True,
            },
            {"Id": "uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
            {
                "Id": "cold",
                "Status": "Disabled",
                "Prefix": "logs/",
                "TagFilters": [{"Key": "kind", "Value": "log"}],
                "ExpirationInDays": 365,
                "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
            },
        ]
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "Tags": [{"Key": "Project", "Value": "scones & more"}],
}


class Stack:
    """A stack with one bucket."""

    def __init__(self) -> None:
        self.formation, self.s3 = boto3.client("cloudformation"), boto3.client("s3")
        self.name = f"bucket-{uuid.uuid4().hex[:8]}"

    def _template(self, properties: dict[str, Any]) -> str:
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": self.name, **properties}}
        return json.dumps({"Resources": {"Bucket": bucket}})

    def create(self, properties: dict[str, Any]) -> None:
        self.formation.create_stack(StackName=self.name, TemplateBody=self._template(properties))
        self.formation.get_waiter("stack_create_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})

    def update(self, properties: dict[str, Any]) -> None:
        self.formation.update_stack(StackName=self.name, TemplateBody=self._template(properties))
        self.formation.get_waiter("stack_update_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})


@pytest.fixture
def stack(on_local_cloud: LocalCloud) -> Iterator[Stack]:
    one = Stack()
    yield one
    one.formation.delete_stack(StackName=one.name)


def test_properties_of_a_template_are_described(stack: Stack) -> None:
    stack.create(PROPERTIES)
    s3, bucket = stack.s3, stack.name
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"},
            "BucketKeyEnabled": True,
        }
    ]
    forget, uploads, cold = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert forget["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert forget["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert (cold["ID"], cold["Status"], cold["Expiration"]) == ("cold", "Disabled", {"Days": 365})
    assert cold["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    assert cold["Filter"]["And"]["Prefix"] == "logs/"
    assert cold["Filter"]["And"]["Tags"] == [{"Key": "kind", "Value": "log"}]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "Project", "Value": "scones & more"}]
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_an_update_changes_and_removes_them(stack: Stack) -> None:
    stack.create(PROPERTIES)
    stack.update({"Tags": [{"Key": "Project", "Value": "other"}]})
    s3, bucket = stack.s3, stack.name
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "Project", "Value": "other"}]
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_what_s3_refuses_fails_the_stack(stack: Stack) -> None:
    wrong = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "DES"}}]}
    with pytest.raises(botocore.exceptions.WaiterError):
        stack.create({"BucketEncryption": wrong})
    events = stack.formation.describe_stack_events(StackName=stack.name)["StackEvents"]
    assert any("BucketEncryption rejected" in event.get("ResourceStatusReason", "") for event in events)
