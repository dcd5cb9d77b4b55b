"""Addresses in S3."""

from __future__ import annotations


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as (bucket, key); the key may be empty.

    Raises:
        ValueError: it is no such address.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"{uri!r} is not an S3 URI")
    return bucket, key
