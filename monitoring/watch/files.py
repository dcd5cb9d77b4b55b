"""Captured traffic, runs and labels in S3, for the command line and the dashboard. Jobs do not travel with this module:
what they read has been put into a folder for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from monitoring.analysis.capture import EVER, SUFFIXES, Window
from project import console, s3


def captured(
    uri: str, window: Window = EVER, passed_over: Callable[[str], None] = lambda said: None
) -> Iterator[dict[str, Any]]:
    """The objects (Key, Size, LastModified) of capture files below `uri` that may have records in `window`.

    `passed_over` is told of objects that are called otherwise.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    for found in s3.list_objects(f"{uri.rstrip('/')}/"):
        if not window.may_hold(found["Key"]):
            continue
        if found["Key"].endswith(SUFFIXES):
            yield found
        elif found["Size"]:  # consoles make empty objects as folders
            passed_over(
                f"s3://{s3.split(uri)[0]}/{found['Key']} is passed over: it is called neither {' nor '.join(SUFFIXES)}."
            )


def fetch(uri: str, folder: Path, window: Window = EVER) -> int:
    """Copy the capture files (or label files) of `window` below `uri` into `folder`, in the same layout.

    Files are written once and never changed, so one that is there in full is not fetched again. Returns how many files
    `folder` now holds of them.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    bucket, prefix = s3.split(uri.rstrip("/"))
    held = 0
    for found in captured(uri, window, passed_over=console.say):
        target = folder / _relative(found["Key"], prefix)
        if not target.is_file() or target.stat().st_size != found["Size"]:
            s3.download(f"s3://{bucket}/{found['Key']}", target)
        held += 1
    return held


def _relative(key: str, prefix: str) -> str:
    """Where a key lies below the prefix; no key leads out of the folder that it is copied into."""
    parts = key[len(prefix) :].split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))
