"""Addresses and objects in S3, through botocore's own model of the service."""

from __future__ import annotations

import io

import pytest
from botocore.response import StreamingBody
from service_stubs import Stubs

from project import s3
from project.errors import CloudError, DataError, UsageError

URI = "s3://bucket/a/b.json"


def holds(stubs: Stubs, content: bytes) -> None:
    body = StreamingBody(io.BytesIO(content), len(content))
    stubs["s3"].add_response("get_object", {"Body": body}, {"Bucket": "bucket", "Key": "a/b.json"})


@pytest.mark.parametrize(
    ("uri", "parts"), [("s3://b/k", ("b", "k")), ("s3://b/a/b?c#d", ("b", "a/b?c#d")), ("s3://b/a/", ("b", "a/"))]
)
def test_an_address_is_bucket_and_key(uri: str, parts: tuple[str, str]) -> None:
    assert s3.split(uri) == parts


@pytest.mark.parametrize("uri", ["https://bucket/key", "s3://bucket", "s3://bucket/", "s3:///key"])
def test_an_address_without_bucket_or_key_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket/key"):
        s3.split(uri)


def test_a_json_object_is_read(stubs: Stubs) -> None:
    holds(stubs, b'{"a": 1}')
    assert s3.read_json(URI) == {"a": 1}


@pytest.mark.parametrize(("content", "problem"), [(b"[1]", "not an object"), (b"{", "not JSON")])
def test_what_is_no_json_object_is_refused_by_its_address(stubs: Stubs, content: bytes, problem: str) -> None:
    holds(stubs, content)
    with pytest.raises(DataError, match=f"{URI}.*{problem}"):
        s3.read_json(URI)


def test_an_object_that_does_not_exist_is_named(stubs: Stubs) -> None:
    stubs["s3"].add_client_error("get_object", "NoSuchKey")
    with pytest.raises(DataError, match=f"{URI} is not there"):
        s3.read(URI)


def test_only_a_missing_object_has_no_head(stubs: Stubs) -> None:
    stubs["s3"].add_client_error("head_object", "404", http_status_code=404)
    assert s3.head(URI) is None
    stubs["s3"].add_client_error("head_object", "403", http_status_code=403)
    with pytest.raises(CloudError, match=f"looking for {URI}"):
        s3.head(URI)
