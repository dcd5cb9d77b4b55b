"""Captured traffic, runs and labels in S3, for the command line and the dashboard. Jobs do not travel with this module:
what they read has been put into a folder for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.analysis import ground_truth
from monitoring.analysis.capture import EVER, SUFFIXES, Window
from project import s3


def captured(uri: str, window: Window = EVER) -> Iterator[dict[str, Any]]:
    """The objects (Key, Size, LastModified) of capture files below `uri` that may have records in `window`.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    for found in s3.list_objects(f"{uri.rstrip('/')}/"):
        if found["Key"].endswith(SUFFIXES) and window.may_hold(found["Key"]):
            yield found


def fetch(uri: str, folder: Path, window: Window = EVER) -> int:
    """Copy the capture files (or label files) of `window` below `uri` into `folder`, in the same layout.

    Files are written once and never changed, so one that is there in full is not fetched again. Returns how many files
    `folder` now holds of them.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    bucket, prefix = s3.split(uri.rstrip("/"))
    held = 0
    for found in captured(uri, window):
        target = folder / _relative(found["Key"], prefix)
        if not target.is_file() or target.stat().st_size != found["Size"]:
            s3.download(f"s3://{bucket}/{found['Key']}", target)
        held += 1
    return held


def put_labels(uri: str, labels: Mapping[str, int], now: datetime, name: str) -> str:
    """Add a file of labels (event to number of the class) below `uri`; returns its address.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    target = f"{uri.rstrip('/')}/{ground_truth.key(now, name)}"
    s3.upload(ground_truth.text(labels).encode(), target)
    return target


def _relative(key: str, prefix: str) -> str:
    """Where a key lies below the prefix; no key leads out of the folder that it is copied into."""
    parts = key[len(prefix) :].split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))
