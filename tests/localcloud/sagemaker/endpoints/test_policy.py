"""The steps of a traffic shift."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker.endpoints import policy
from localcloud.sagemaker.errors import ServiceError


def config(kind: str, *, wait: int = 10, end: int = 0, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": end}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize(
    ("given", "count", "expected"),
    [
        ({}, 1, [(1.0, 0), (1.0, 0)]),
        (config("ALL_AT_ONCE", end=5), 1, [(1.0, 10), (1.0, 5)]),
        (config("CANARY", CanarySize=percent(10)), 1, [(0.1, 10), (1.0, 10), (1.0, 0)]),
        (config("CANARY", CanarySize=instances(1)), 4, [(0.25, 10), (1.0, 10), (1.0, 0)]),
        (config("LINEAR", LinearStepSize=percent(50)), 1, [(0.5, 10), (1.0, 10), (1.0, 0)]),
        (config("LINEAR", LinearStepSize=percent(30)), 1, [(0.3, 10), (0.6, 10), (0.9, 10), (1.0, 10), (1.0, 0)]),
    ],
)
def test_the_new_fleet_gets_everything_in_the_end_and_is_watched_after_every_step(
    given: dict[str, Any], count: int, expected: list[tuple[float, int]]
) -> None:
    policy.check(given, count)
    found = [(round(step.share, 6), step.seconds) for step in policy.steps(given, count)]
    assert found == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (config("CANARY"), "needs CanarySize"),
        (config("LINEAR"), "needs LinearStepSize"),
        (config("CANARY", CanarySize=percent(51)), "at most 50 percent"),
        (config("CANARY", CanarySize=instances(1)), "at most 50 percent"),
        (config("LINEAR", LinearStepSize=percent(9)), "at least 10"),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": percent(10), "WaitIntervalInSeconds": 0}}, "not RollingUpdate"),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}, "needs a BlueGreenUpdatePolicy"),
    ],
)
def test_a_shift_that_cannot_be_done_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words) as error:
        policy.check(given, 1)
    assert error.value.code == "ValidationException"


def test_the_time_limit_is_the_given_one_or_leaves_room_for_the_waits() -> None:
    given = config("ALL_AT_ONCE", wait=3600, end=3600)
    assert policy.limit_seconds(given) == 2 * 7200
    assert policy.limit_seconds({}) == policy.DEFAULT_LIMIT_SECONDS
    given["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    assert policy.limit_seconds(given) == 600
