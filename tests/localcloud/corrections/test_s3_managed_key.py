"""Uploads that ask for KMS and name no key are taken, as the SageMaker SDK sends them."""

from __future__ import annotations

import uuid

import boto3
from cloud_fixtures import LocalCloud


def test_kms_without_a_key_uses_the_managed_one(on_local_cloud: LocalCloud) -> None:
    s3, bucket = boto3.client("s3"), f"kms-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    put = s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=b"x", ServerSideEncryption="aws:kms")
    found = s3.head_object(Bucket=bucket, Key="source.tar.gz")
    for answer in (put, found):
        assert answer["ServerSideEncryption"] == "aws:kms"
        assert answer["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:000000000000:key/")
    named = s3.put_object(Bucket=bucket, Key="b", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="mine")
    assert named["SSEKMSKeyId"] == "mine"


def test_a_bucket_whose_default_is_kms_uses_the_managed_key(on_local_cloud: LocalCloud) -> None:
    s3, bucket = boto3.client("s3"), f"kms-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    default = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=default)
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert ":key/" in s3.head_object(Bucket=bucket, Key="a")["SSEKMSKeyId"]
