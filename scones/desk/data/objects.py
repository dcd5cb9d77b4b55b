"""Objects in S3 as the dashboard reads them: listed from where the last listing ended, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from project import aws

MISSING = {"NoSuchKey", "404", "NotFound", "NoSuchBucket"}


@dataclass(frozen=True)
class Listed:
    """One object of a listing."""

    key: str
    etag: str
    size: int
    modified: datetime


def listed(bucket: str, prefix: str, after: str = "") -> list[Listed]:
    """The objects under `prefix` whose keys come after `after`, in order of key; none when there is no bucket."""
    found: list[Listed] = []
    with aws.explained(f"listing s3://{bucket}/{prefix}"):
        pages = aws.client("s3").get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
                found += [
                    Listed(one["Key"], one["ETag"], one["Size"], one["LastModified"])
                    for one in page.get("Contents", [])
                ]
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
    return found


def exists(bucket: str) -> bool:
    """Whether there is such a bucket."""
    with aws.explained(f"looking for bucket {bucket}"):
        try:
            aws.client("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            return False
    return True


def folders(bucket: str, prefix: str) -> list[str]:
    """The names directly below `prefix` (which ends with a slash) that hold objects."""
    with aws.explained(f"listing s3://{bucket}/{prefix}"):
        pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        try:
            return [
                one["Prefix"].removeprefix(prefix).strip("/")
                for page in pages
                for one in page.get("CommonPrefixes", [])
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
    return []


def body(bucket: str, key: str, first: int | None = None, length: int = 0) -> bytes | None:
    """An object's bytes, or `length` of them from `first`; None when it is gone."""
    part: dict[str, Any] = {} if first is None else {"Range": f"bytes={first}-{first + length - 1}"}
    with aws.explained(f"reading s3://{bucket}/{key}"):
        try:
            content: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key, **part)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            return None
    return content
