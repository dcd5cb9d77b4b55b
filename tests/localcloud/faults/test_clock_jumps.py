"""A clock that is set forward or back by an hour or a day, as when a laptop wakes or a server gets its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.sagemaker.endpoints.capture import Captured, Options
from localcloud.sagemaker.endpoints.capture_writer import CaptureWriter
from localcloud.sagemaker.engine.caching import CacheConfig, is_fresh
from localcloud.sagemaker.monitoring.scheduler import window
from localcloud.sagemaker.store import Resource

HOUR, DAY = 3600.0, 86_400.0
JUMPS = [HOUR, -HOUR, DAY, -DAY]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()
CONFIG = {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}}


class Written:
    """S3, as far as a writer needs it."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def aws(self, *_: str) -> Written:
        return self

    def put_object(self, **asked: Any) -> None:
        self.keys.append(asked["Key"])


@pytest.mark.parametrize("jump", JUMPS)
def test_captured_records_are_written_in_time_whatever_the_clock_says(
    jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = Written()
    writer = CaptureWriter(s3, seconds=60)  # type: ignore[arg-type]
    now: Callable[[], float] = time.time
    writer.add(
        "e", "v", Options("s3://b/c", 100, True, True, frozenset(), frozenset()), Captured(NOON, "id", "", b"", "", b"")
    )
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    assert 0 < writer.write_due() <= 60, "neither at once nor a day late"
    assert s3.keys == []
    writer.close()
    assert len(s3.keys) == 1


@pytest.mark.parametrize(("jump", "fresh"), [(HOUR, True), (-HOUR, True), (DAY, False), (-DAY, True)])
def test_a_cached_result_is_as_old_as_the_clock_says_and_never_too_young(jump: float, fresh: bool) -> None:
    made = NOON - HOUR / 2
    assert is_fresh(made, CacheConfig(timedelta(hours=2)), NOON + jump) is fresh


def test_the_monitor_does_every_hour_once_over_jumps_of_the_clock() -> None:
    """Each time that a schedule is looked at, what it analyses begins where it ended before."""
    until, done = NOON - HOUR, []
    for jump in (0.0, HOUR, 0.0, -HOUR, DAY, -DAY, DAY, DAY + HOUR):
        body = {"AnalysedUntil": until, "MonitoringScheduleConfig": CONFIG}
        found = window(
            Resource("MonitoringSchedule", "s", "", "", "Scheduled", NOON - DAY, NOON, body), NOON + jump + 90
        )
        if found:
            done.append((found[1].start, found[1].end))
            until = found[1].end
    starts, ends = [start for start, _ in done], [end for _, end in done]
    assert starts == [NOON - HOUR, *ends[:-1]], "no hour twice, and none left out"
    assert ends[-1] == NOON + DAY + HOUR
