"""Does a cloud answer? Asked first and briefly: every other question would be repeated with long pauses."""

from __future__ import annotations

import threading
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from project import aws, settings
from project.errors import SconesError

FRESH_SECONDS = 1.0
BRIEF = Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=2, read_timeout=2)
"""People see within five seconds that no cloud answers: FRESH_SECONDS, this, and the two until a page looks again."""
_lock = threading.Lock()
_last: list[tuple[float, SconesError | None]] = []


def forget() -> None:
    """Ask again the next time."""
    with _lock:
        _last.clear()
        _sts.cache_clear()


def problem_of_cloud() -> SconesError | None:
    """Why no cloud answers, or None; an answer counts for FRESH_SECONDS."""
    with _lock:
        if _last and time.monotonic() - _last[-1][0] < FRESH_SECONDS:
            return _last[-1][1]
        found = _ask_cloud()
        _last[:] = [(time.monotonic(), found)]
        return found


def cloud_name() -> str:
    """What the endpoints in the environment lead to, for people to read."""
    return "AWS" if aws.bills() else "local cloud"


def _ask_cloud() -> SconesError | None:
    try:
        with aws.explained("asking whether AWS answers"):
            _sts().get_caller_identity()
    except SconesError as error:
        return error
    return None


@cache
def _sts() -> Any:
    return boto3.client("sts", region_name=settings.load().region, config=BRIEF)
