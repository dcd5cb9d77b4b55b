"""Keys are text: others are refused, and nothing is stored under a name that was not asked for."""

from __future__ import annotations

import http.client
import uuid

import boto3
import pytest
from cloud_fixtures import LocalCloud

LONE_SURROGATE = "%ED%A0%80"


@pytest.mark.parametrize("key", [f"a{LONE_SURROGATE}", "%FF", f"folder/{LONE_SURROGATE}/b"])
def test_a_key_that_is_no_text_is_refused(on_local_cloud: LocalCloud, key: str) -> None:
    s3, bucket = boto3.client("s3"), f"keys-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    connection = http.client.HTTPConnection("127.0.0.1", on_local_cloud.addresses.ministack_port, timeout=30)
    connection.request("PUT", f"/{bucket}/{key}", b"x")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == 400
    assert "<Code>InvalidURI</Code>" in body
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_keys_of_every_script_are_kept_as_they_are(on_local_cloud: LocalCloud) -> None:
    s3, bucket = boto3.client("s3"), f"keys-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    keys = sorted(["grün", "自転車/1 +&.png", "\U0001f6b2", "\ufffd"], key=lambda key: key.encode())
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == keys
