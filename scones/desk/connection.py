"""Does a cloud answer? Asked first and briefly: every other question would be repeated with long pauses."""

from __future__ import annotations

import threading
import time

import boto3

from project import aws
from project.errors import SconesError

FRESH_SECONDS = 5.0
_lock = threading.Lock()
_last: list[tuple[float, SconesError | None]] = []


def forget() -> None:
    """Ask again the next time."""
    with _lock:
        _last.clear()


def problem_of_cloud() -> SconesError | None:
    """Why no cloud answers, or None; an answer counts for FRESH_SECONDS."""
    with _lock:
        if _last and time.monotonic() - _last[-1][0] < FRESH_SECONDS:
            return _last[-1][1]
        found = _ask_cloud()
        _last[:] = [(time.monotonic(), found)]
        return found


def _ask_cloud() -> SconesError | None:
    region = aws.names().settings.region
    try:
        with aws.explained("asking whether AWS answers"):
            boto3.client("sts", region_name=region, config=aws.ONCE).get_caller_identity()
    except SconesError as error:
        return error
    return None
