"""Monitoring schedules: which times an expression means, and which window is due when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from capture_files import NOON
from schedule_support import HOURLY, PAST_NOON, Watched

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.monitoring import cron, scheduler
from localcloud.sagemaker.monitoring.cron import DELAY_SECONDS, HOUR


def at(hour: int, minute: int = 0, day: int = 4) -> float:
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        (HOURLY, set(range(24))),
        ("cron(0 5 ? * * *)", {5}),
        ("cron(0 05 ? * * *)", {5}),
        ("cron(0 3/6 ? * * *)", {3, 9, 15, 21}),
        ("cron(0 0/1 ? * * *)", set(range(24))),
    ],
)
def test_an_expression_names_hours_of_the_day(expression: str, hours: set[int]) -> None:
    assert cron.hours(expression) == hours


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 hour)",
        "cron(5 * ? * * *)",
        "cron(0 24 ? * * *)",
        "cron(0 1/0 ? * * *)",
        "cron(0 * ? * MON *)",
        "cron(0 *)",
        "",
    ],
)
def test_an_expression_that_sagemaker_does_not_take_is_refused(expression: str) -> None:
    with pytest.raises(ServiceError, match="schedule expression"):
        cron.hours(expression)


def test_the_latest_and_the_following_time_of_an_expression() -> None:
    assert cron.latest(HOURLY, at(12, 59)) == at(12)
    assert cron.latest(HOURLY, at(12)) == at(12)
    assert cron.following(HOURLY, at(12)) == at(13)
    assert cron.latest("cron(0 5 ? * * *)", at(4, day=5)) == at(5, day=4)
    assert cron.following("cron(0 5 ? * * *)", at(5)) == at(5, day=5)
    assert cron.following("cron(0 3/6 ? * * *)", at(22)) == at(3, day=5)


@pytest.mark.parametrize(
    ("text", "seconds"), [("-PT1H", -3600), ("PT30M", 1800), ("-P8D", -691_200), ("-P1DT2H", -93_600)]
)
def test_an_offset_is_a_duration(text: str, seconds: float) -> None:
    assert cron.offset(text) == seconds


@pytest.mark.parametrize("text", ["PT", "-P", "1H", "P1M", ""])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="ISO 8601"):
        cron.offset(text)


def windows(watched: Watched, schedule: str, now: float) -> tuple[float, float, float] | None:
    found = scheduler.window(watched.cloud.store.find("MonitoringSchedule", schedule), now)  # type: ignore[arg-type]
    return found and (found[0], found[1].start, found[1].end)


def test_an_hour_is_due_shortly_after_it_is_over_and_only_once(watched: Watched) -> None:
    schedule = watched.schedule()
    assert windows(watched, schedule, NOON.timestamp() + DELAY_SECONDS - 1) is None
    assert windows(watched, schedule, PAST_NOON) == (at(12), at(11), at(12))
    watched.cloud.store.update("MonitoringSchedule", schedule, {"AnalysedUntil": at(12)})
    assert windows(watched, schedule, PAST_NOON + HOUR - 1) is None


def test_hours_that_were_missed_are_one_window(watched: Watched) -> None:
    schedule = watched.schedule(since=NOON - timedelta(hours=30))
    assert windows(watched, schedule, PAST_NOON) == (at(12), at(6, day=3), at(12))


def test_a_new_schedule_begins_with_the_hour_it_was_made_in(watched: Watched) -> None:
    schedule = watched.schedule()
    made = watched.cloud.store.find("MonitoringSchedule", schedule)
    assert made is not None
    watched.cloud.call("StopMonitoringSchedule", {"MonitoringScheduleName": schedule})
    watched.cloud.call("StartMonitoringSchedule", {"MonitoringScheduleName": schedule})
    begun = watched.cloud.store.find("MonitoringSchedule", schedule)
    assert begun is not None
    assert made.created - HOUR < begun.body["AnalysedUntil"] <= begun.modified


def test_a_clock_that_jumps_back_starts_nothing(watched: Watched) -> None:
    schedule = watched.schedule(since=NOON)
    assert windows(watched, schedule, PAST_NOON - 5 * HOUR) is None


def test_offsets_say_the_window_instead(watched: Watched) -> None:
    definition = watched.quick()
    definition["MonitoringInputs"][0]["EndpointInput"] |= {"StartTimeOffset": "-P2D", "EndTimeOffset": "-P1D"}
    schedule = watched.schedule(definition)
    assert windows(watched, schedule, PAST_NOON) == (at(12), at(12, day=2), at(12, day=3))
