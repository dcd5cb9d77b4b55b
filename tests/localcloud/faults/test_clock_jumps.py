"""A clock that is set forward or back by an hour or a day, as when a laptop wakes or a server gets its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.corrections import alarm_states, metric_queries
from localcloud.sagemaker.endpoints import deployment
from localcloud.sagemaker.endpoints.capture import Captured, Options
from localcloud.sagemaker.endpoints.capture_writer import CaptureWriter
from localcloud.sagemaker.endpoints.policy import ShiftStep
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


@pytest.mark.parametrize("jump", JUMPS)
def test_a_bake_lasts_as_long_as_it_should_whatever_the_clock_says(
    jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock jumps with every look; the seconds that only go on are those that were waited."""
    waited: list[float] = []
    times = SimpleNamespace(monotonic=lambda: sum(waited), time=lambda: NOON + jump * len(waited))
    monkeypatch.setattr(deployment, "time", times)
    green = SimpleNamespace(serving=True, failures=0, problem="")
    cloud = SimpleNamespace(stopping=SimpleNamespace(wait=waited.append))
    deployment._bake(cloud, green, ShiftStep(1.0, 120, "a wait"), [], lambda: None)  # type: ignore[arg-type]
    assert sum(waited) == pytest.approx(120) and len(waited) > 1


@pytest.mark.parametrize("jump", JUMPS)
def test_an_alarm_follows_its_metric_again_after_a_jump(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of another time is none, neither that of a future nor that of long ago; what comes then is judged."""
    points = [{"Timestamp": NOON + 30, "Value": 5.0, "Sum": 5.0, "SampleCount": 1, "Minimum": 5.0, "Maximum": 5.0}]
    monkeypatch.setattr(metric_queries, "points", lambda _: points)
    alarm = {"AlarmName": "a", "Namespace": "n", "MetricName": "m", "Period": 60, "Statistic": "Sum"}
    alarm |= {"EvaluationPeriods": 1, "Threshold": 1.0}

    def state(now: float) -> str | None:
        found, _ = alarm_states.values(alarm, now)
        return alarm_states.judged([None if one is None else one > 1 for one in found], 1, 1, "notBreaching")

    assert state(NOON + 65) == "ALARM"
    assert state(NOON + jump + 65) == "OK"
    points.append({**points[0], "Timestamp": NOON + jump + 30})
    assert state(NOON + jump + 65) == "ALARM"
    assert state(NOON + 65) == "ALARM"
