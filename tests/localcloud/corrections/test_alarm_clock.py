"""Alarms follow the clock: silence ends an alarm, and a state that was set by hand does not last."""

from __future__ import annotations

import uuid
from typing import Any

import boto3
from cloud_fixtures import LocalCloud, eventually


def test_silence_ends_an_alarm(on_local_cloud: LocalCloud) -> None:
    client: Any = boto3.client("cloudwatch")
    name = f"silence-{uuid.uuid4().hex[:8]}"

    def state() -> str:
        found: str = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]
        return found

    def ended() -> int:
        items = client.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items].count("Alarm updated from ALARM to OK")

    client.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="Errors",
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    client.put_metric_data(Namespace=name, MetricData=[{"MetricName": "Errors", "Value": 5.0, "StorageResolution": 1}])
    assert state() == "ALARM"
    eventually(lambda: state() == "OK", patience=60)
    assert ended() == 1
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="by hand")
    eventually(lambda: ended() == 2, patience=60)
    assert state() == "OK"
