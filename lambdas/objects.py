"""JSON objects in S3, and addresses of objects, as the functions read and write them."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from lambdas import json_text
from lambdas.outcomes import FailedError
from lambdas.service_errors import MISSING_OBJECT, calling


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; SageMaker, which the functions have it from, writes no other."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_json(s3: Any, bucket: str, key: str) -> Any:
    """The JSON value that is stored there; None when there is no such object.

    Raises:
        FailedError: NotJson: it is none, or one that cannot be used.
        RetryableError, FailedError: as S3 answered.
    """
    with calling(f"reading s3://{bucket}/{key}"):
        try:
            content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING_OBJECT:
                return None
            raise
    return parsed(content, f"s3://{bucket}/{key}")


def parsed(content: str | bytes, place: str) -> Any:
    """The JSON value in what `place` holds.

    Raises:
        FailedError: NotJson.
    """
    try:
        return json_text.parsed(content)
    except ValueError as error:
        raise FailedError("NotJson", f"{place} holds no JSON: {error}.") from None


def write_json(s3: Any, bucket: str, key: str, value: object) -> None:
    """Store `value` as JSON, replacing what an earlier attempt wrote.

    Raises:
        RetryableError, FailedError: as S3 answered.
    """
    with calling(f"writing s3://{bucket}/{key}"):
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(value, allow_nan=False).encode(),
            ContentType="application/json",
        )
