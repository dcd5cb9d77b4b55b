"""A picture's bytes from S3."""

from __future__ import annotations

from typing import Any

from lambdas.serialize_image.picture import check_length
from lambdas.service_errors import calling


def fetch(s3: Any, bucket: str, key: str) -> bytes:
    """A picture's bytes from S3; refused by its length before they are transferred.

    Raises:
        BadInputError: no such object or bucket, no bytes, or too many.
        RetryableError, FailedError: as S3 answered.
    """
    with calling(f"reading s3://{bucket}/{key}"):
        answer = s3.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as stream:
            check_length(answer["ContentLength"])
            data: bytes = stream.read()
    return data
