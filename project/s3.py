"""Objects in S3 by their address, `s3://bucket/key`: find, list, read, download, upload."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from project import aws, json_text
from project.errors import DataError, UsageError
from project.files import write_file
from project.progress import Show, megabytes

MISSING = {"404", "NoSuchKey", "NotFound"}


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// URI; a key may hold anything, `?` and `#` as well.

    Raises:
        UsageError: it is no such address.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key.strip("/"):
        raise UsageError(f"{uri!r} is not the address of an S3 object.", "Write s3://bucket/key.")
    return bucket, key


def head(uri: str) -> Mapping[str, Any] | None:
    """The metadata of an object, or None if it does not exist.

    Raises:
        CloudError: S3 refused or cannot be reached. The functions below raise it too.
    """
    bucket, key = split(uri)
    with aws.explained(f"looking for {uri}"):
        try:
            found: Mapping[str, Any] = aws.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise
    return found


def list_objects(uri: str) -> Iterator[dict[str, Any]]:
    """The objects (Key, Size, ETag, LastModified) whose keys begin with that of `uri`, in order of key."""
    bucket, prefix = split(uri)
    with aws.explained(f"listing {uri}"):
        for page in aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Contents", ())


def read(uri: str) -> bytes:
    """An object's content.

    Raises:
        DataError: it does not exist.
    """
    bucket, key = split(uri)
    with aws.explained(f"reading {uri}"):
        try:
            content: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                raise DataError(f"{uri} is not there.") from None
            raise
    return content


def read_json(uri: str) -> dict[str, Any]:
    """The JSON object that is stored there.

    Raises:
        DataError: it does not exist, or holds something else.
    """
    try:
        value = json_text.parsed(read(uri))
    except ValueError as error:
        raise DataError(f"{uri}: not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise DataError(f"{uri}: a JSON {type(value).__name__}, not an object.")
    return value


def download(uri: str, file: Path) -> None:
    """Copy an object to `file`, which appears when it is complete, in a folder that is made if need be."""
    bucket, key = split(uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    with aws.explained(f"reading {uri}"), write_file(file) as partial:
        aws.client("s3").download_file(bucket, key, str(partial))


def upload(content: bytes | Path, uri: str, show: Show | None = None, **options: Any) -> None:
    """Write `content`, or the content of a file, to `uri`.

    Args:
        show: told how far the upload of a file is.
        options: Metadata, ContentType or other arguments of PutObject.
    """
    bucket, key = split(uri)
    with aws.explained(f"uploading {content} to {uri}" if isinstance(content, Path) else f"uploading {uri}"):
        if isinstance(content, Path):
            counted = _counter(f"Uploading {content.name}", content.stat().st_size, show) if show else None
            aws.client("s3").upload_file(str(content), bucket, key, ExtraArgs=options, Callback=counted)
        else:
            aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content, **options)


def _counter(what: str, size: int, show: Show) -> Callable[[int], None]:
    """What boto3 calls, from its threads, with the bytes of each part that has gone."""
    sent, lock = 0, threading.Lock()

    def count(number: int) -> None:
        nonlocal sent
        with lock:
            sent += number
            show(what, megabytes(sent, size), sent, size)

    show(what, megabytes(0, size), 0, size)
    return count
