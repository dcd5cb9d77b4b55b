"""Captured traffic, runs and labels in S3, for the command line and the dashboard. Jobs do not travel with this module:
what they read has been put into a folder for them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.analysis import ground_truth
from monitoring.analysis.capture import EVER, SUFFIXES, Window
from project import aws
from project.errors import UsageError


def split(uri: str) -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix`; the prefix is without a slash at its end.

    Raises:
        UsageError: it is no such address.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"{uri!r} is not an address in S3.", "Write s3://bucket/prefix.")
    return bucket, prefix.rstrip("/")


def captured(uri: str, window: Window = EVER) -> Iterator[dict[str, Any]]:
    """The objects (Key, Size, LastModified) of capture files below `uri` that may have records in `window`.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    for found in _objects(uri):
        if found["Key"].endswith(SUFFIXES) and window.may_hold(found["Key"]):
            yield found


def fetch(uri: str, folder: Path, window: Window = EVER) -> int:
    """Copy the capture files (or label files) of `window` below `uri` into `folder`, in the same layout.

    Files are written once and never changed, so one that is there in full is not fetched again. Returns how many files
    `folder` now holds of them.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    bucket, prefix = split(uri)
    held = 0
    for found in captured(uri, window):
        target = folder / _relative(found["Key"], prefix)
        if not target.is_file() or target.stat().st_size != found["Size"]:
            _download(bucket, found["Key"], target)
        held += 1
    return held


def fetch_run(uri: str, folder: Path) -> list[str]:
    """Copy the files of a run's output (statistics.json, summary.json, ...) into `folder`; returns their names.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    bucket, prefix = split(uri)
    names = []
    for found in _objects(uri):
        name = _relative(found["Key"], prefix)
        if name.endswith(".json"):
            _download(bucket, found["Key"], folder / name)
            names.append(name)
    return names


def put_labels(uri: str, labels: Mapping[str, int], now: datetime, name: str) -> str:
    """Add a file of labels (event to number of the class) below `uri`; returns its address.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    bucket, prefix = split(uri)
    key = "/".join(part for part in (prefix, ground_truth.key(now, name)) if part)
    with aws.explained(f"writing s3://{bucket}/{key}"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=ground_truth.text(labels).encode())
    return f"s3://{bucket}/{key}"


def _objects(uri: str) -> Iterator[dict[str, Any]]:
    bucket, prefix = split(uri)
    with aws.explained(f"listing {uri}"):
        pages = aws.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix}/" if prefix else ""):
            yield from page.get("Contents", ())


def _relative(key: str, prefix: str) -> str:
    """Where a key lies below the prefix; no key leads out of the folder that it is copied into."""
    parts = key[len(prefix) :].split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _download(bucket: str, key: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with aws.explained(f"reading s3://{bucket}/{key}"):
        aws.client("s3").download_file(bucket, key, str(partial))
    partial.replace(target)
