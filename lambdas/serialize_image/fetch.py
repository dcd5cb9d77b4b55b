"""Read one picture from S3, refusing by its length before its bytes are transferred."""

from __future__ import annotations

from typing import Any

from lambdas.serialize_image.picture import check_stored_size
from lambdas.service_errors import calling


def fetched(s3: Any, bucket: str, key: str) -> bytes:
    """The object's bytes.

    Raises:
        BadInputError: no such object or bucket, no bytes, or too many.
        RetryableError, FailedError: as S3 answered.
    """
    with calling(f"reading s3://{bucket}/{key}"):
        answer = s3.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as stream:
            check_stored_size(answer["ContentLength"])
            data: bytes = stream.read()
    return data
