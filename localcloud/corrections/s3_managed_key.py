"""S3 encrypts with the account's managed key when a request asks for KMS and names no key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import s3

from localcloud.corrections import seam

BEHAVIOUR = "An object with aws:kms, or in a bucket whose default that is, without a key id is stored with aws/s3."
EVIDENCE = (
    "botocore's service model of S3, PutObject, SSEKMSKeyId: without a key id 'Amazon S3 uses the Amazon Web Services "
    "managed key (aws/s3) to protect the data'."
)
MINISTACK = "1.5.33"

ALGORITHM = "x-amz-server-side-encryption"
KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def managed_key() -> str:
    """The ARN of the key aws/s3 of the request's account and region: always the same one."""
    place = f"{responses.get_region()}:{responses.get_account_id()}"
    return f"arn:aws:kms:{place}:key/{uuid.uuid5(uuid.NAMESPACE_URL, f'aws/s3:{place}')}"


def _with_key(headers: dict[str, str]) -> dict[str, str]:
    if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY):
        return {**headers, KEY: managed_key()}
    return headers


def _of_requests(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda headers, bucket_name: original(_with_key(headers), bucket_name)


def _of_buckets(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda bucket_name: _with_key(original(bucket_name))


def apply() -> None:
    """Raises SeamError when MiniStack reads the headers in another way."""
    seam.replace(__name__, s3, "_resolve_sse_write_headers", "headers", "bucket_name", by=_of_requests)
    seam.replace(__name__, s3, "_bucket_default_sse_headers", "bucket_name", by=_of_buckets)
