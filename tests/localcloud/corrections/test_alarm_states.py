"""Alarms are in the state that CloudWatch's user guide says, for their own metric and nobody else's."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud

from localcloud.corrections.alarm_states import judged

INSUFFICIENT, KEPT = "INSUFFICIENT_DATA", None
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "----0": ("OK", "OK", "OK", "OK"),
    "-----": (INSUFFICIENT, KEPT, "ALARM", "OK"),
    "0XX-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "--X--": ("ALARM", KEPT, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0-X-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "00X0X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0-X--": ("OK", "OK", "ALARM", "OK"),
    "----0": ("OK", "OK", "ALARM", "OK"),
    "---X-": ("ALARM", KEPT, "ALARM", "OK"),
}
"""The user guide's tables. X breaches, 0 does not, - is missing; the oldest comes first."""
GUIDE = [(3, row, states) for row, states in THREE_OF_THREE.items()]
GUIDE += [(2, row, states) for row, states in TWO_OF_THREE.items()]


@pytest.mark.parametrize(("to_alarm", "row", "states"), GUIDE)
def test_missing_data_is_treated_as_in_the_user_guide(to_alarm: int, row: str, states: tuple[str | None, ...]) -> None:
    breaches = [{"X": True, "0": False, "-": None}[mark] for mark in row]
    assert tuple(judged(breaches, 3, to_alarm, treatment) for treatment in TREATMENTS) == states


def test_a_first_bad_value_does_not_alarm_early() -> None:
    assert [judged([None] * 4 + [True], 3, 3, treatment) for treatment in TREATMENTS] == [None, None, "ALARM", "OK"]


class Metric:
    """A metric of its own, and alarms on it. Its minutes are counted back from the last full one, which is 0."""

    def __init__(self) -> None:
        self.client = boto3.client("cloudwatch")
        self.namespace = f"Test/{uuid.uuid4().hex[:8]}"

    def put(self, minutes: dict[int, float], **more: Any) -> None:
        full = time.time() // 60 * 60 - 60
        data = [
            {"MetricName": "Errors", "Value": value, "Timestamp": datetime.fromtimestamp(full - 60 * back, UTC), **more}
            for back, value in minutes.items()
        ]
        self.client.put_metric_data(Namespace=self.namespace, MetricData=data)

    def alarm(self, **settings: Any) -> dict[str, Any]:
        """How a new alarm on it (above 1, a minute's average) is described."""
        name = f"{self.namespace}-{uuid.uuid4().hex[:8]}"
        usual = {"Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
        usual |= {"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}
        if "ExtendedStatistic" in settings:
            del usual["Statistic"]
        self.client.put_metric_alarm(
            AlarmName=name, Namespace=self.namespace, MetricName="Errors", **(usual | settings)
        )
        described: dict[str, Any] = self.client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return described


@pytest.fixture
def metric(on_local_cloud: LocalCloud) -> Metric:
    """Fresh, at a moment after which its minute goes on long enough for the test."""
    while time.time() % 60 > 50:
        time.sleep(0.2)
    return Metric()


def dimensions(model: str) -> list[dict[str, str]]:
    return [{"Name": "Model", "Value": model}, {"Name": "Variant", "Value": "AllTraffic"}]


def test_an_alarm_has_the_metric_of_its_dimensions(metric: Metric) -> None:
    metric.put({0: 5.0}, Dimensions=dimensions("B"))
    assert metric.alarm(Dimensions=dimensions("A"))["StateValue"] == "OK"
    assert metric.alarm()["StateValue"] == "OK"
    alarm = metric.alarm(Dimensions=dimensions("B")[::-1])
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [5.0 (")
    assert alarm["StateReason"].endswith(
        "was greater than the threshold (1.0) (minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition)."
    )


def test_so_many_datapoints_of_so_many_periods_alarm(metric: Metric) -> None:
    metric.put({0: 5.0, 1: 0.0, 2: 5.0})
    of_three = {"EvaluationPeriods": 3}
    states = [metric.alarm(**of_three, DatapointsToAlarm=most)["StateValue"] for most in (1, 2, 3)]
    assert states == ["ALARM", "ALARM", "OK"]
    assert metric.alarm(**of_three)["StateValue"] == "OK"


def test_one_bad_minute_and_then_silence_is_over_after_its_periods(metric: Metric) -> None:
    metric.put({2: 5.0})
    for periods, state in ((1, "OK"), (2, "OK"), (3, "ALARM")):
        assert metric.alarm(EvaluationPeriods=periods, DatapointsToAlarm=1)["StateValue"] == state


def test_each_minute_has_a_value_of_its_own(metric: Metric) -> None:
    metric.put({0: 0.0, 1: 9.0})
    assert metric.alarm()["StateValue"] == "OK"
    assert metric.alarm(Period=120, Statistic="Average")["StateValue"] == "ALARM"


def test_without_data_an_alarm_does_what_it_is_told(metric: Metric) -> None:
    states = [metric.alarm(TreatMissingData=treatment)["StateValue"] for treatment in TREATMENTS]
    assert states == [INSUFFICIENT, INSUFFICIENT, "ALARM", "OK"]


def test_percentiles_count_each_value_as_often_as_it_came(metric: Metric) -> None:
    stamp = datetime.fromtimestamp(time.time() // 60 * 60 - 60, UTC)
    datum = {"MetricName": "Errors", "Values": [0.5, 8.0], "Counts": [98.0, 2.0], "Timestamp": stamp}
    metric.client.put_metric_data(Namespace=metric.namespace, MetricData=[datum])
    assert metric.alarm(ExtendedStatistic="p90")["StateValue"] == "OK"
    assert metric.alarm(ExtendedStatistic="p99")["StateValue"] == "ALARM"
    [point] = metric.client.get_metric_statistics(
        Namespace=metric.namespace,
        MetricName="Errors",
        StartTime=stamp,
        EndTime=datetime.now(UTC),
        Period=60,
        ExtendedStatistics=["p50", "p99"],
    )["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 0.5, "p99": 8.0}


def test_new_data_is_seen_at_once(metric: Metric) -> None:
    name = metric.alarm()["AlarmName"]
    metric.client.put_metric_data(Namespace=metric.namespace, MetricData=[{"MetricName": "Errors", "Value": 5.0}])
    assert metric.client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "ALARM"
