"""Alarms on metric math, by API and template, and GetMetricData with expressions: a service's error rate is watched."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud, eventually, policy


class Service:
    """Two metrics of its own. Its minutes are counted back from the last full one, which is 0."""

    def __init__(self) -> None:
        self.client = boto3.client("cloudwatch")
        self.name = f"math-{uuid.uuid4().hex[:8]}"
        self.full = time.time() // 60 * 60 - 60

    def put(self, metric: str, minutes: dict[int, float]) -> None:
        data = [
            {"MetricName": metric, "Value": value, "Timestamp": datetime.fromtimestamp(self.full - 60 * back, UTC)}
            for back, value in minutes.items()
        ]
        self.client.put_metric_data(Namespace=self.name, MetricData=data)

    def query(self, metric: str, **more: Any) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": self.name, "MetricName": metric}, "Period": 60, "Stat": "Sum"}
        return {"Id": metric.lower(), "MetricStat": stat, "ReturnData": False, **more}

    def error_rate(self, expression: str = "100*errors/requests") -> list[dict[str, Any]]:
        rate = {"Id": "rate", "Expression": expression, "Label": "Error rate", "ReturnData": True}
        return [rate, self.query("Errors"), self.query("Requests")]

    def alarm(self, metrics: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """How a new alarm (above 5) is described."""
        usual: dict[str, Any] = {"EvaluationPeriods": 1, "Threshold": 5.0, "TreatMissingData": "notBreaching"}
        usual |= {"ComparisonOperator": "GreaterThanThreshold", "AlarmName": f"{self.name}-{uuid.uuid4().hex[:8]}"}
        self.client.put_metric_alarm(Metrics=metrics, **(usual | more))
        return self.described((usual | more)["AlarmName"])

    def described(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found

    def data(self, queries: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        begin = datetime.fromtimestamp(self.full - 120, UTC)
        results: list[dict[str, Any]] = self.client.get_metric_data(
            MetricDataQueries=queries, StartTime=begin, EndTime=begin + timedelta(minutes=3), **more
        )["MetricDataResults"]
        return results


@pytest.fixture
def service(on_local_cloud: LocalCloud) -> Service:
    """Fresh, at a moment after which its minute goes on long enough for the test."""
    while time.time() % 60 > 50:
        time.sleep(0.2)
    return Service()


def test_an_alarm_watches_a_rate(service: Service) -> None:
    service.put("Requests", {0: 100, 1: 100})
    service.put("Errors", {0: 10, 1: 1})
    alarm = service.alarm(service.error_rate())
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [10.0 (")
    assert [(one["Id"], one["ReturnData"]) for one in alarm["Metrics"]] == [
        ("rate", True),
        ("errors", False),
        ("requests", False),
    ]
    assert not {"MetricName", "Namespace", "Period", "Statistic"} & alarm.keys()
    assert service.alarm(service.error_rate(), EvaluationPeriods=2)["StateValue"] == "OK"
    assert service.alarm(service.error_rate(), EvaluationPeriods=2, DatapointsToAlarm=1)["StateValue"] == "ALARM"


def test_missing_data_is_missing_or_filled(service: Service) -> None:
    service.put("Requests", {0: 100})
    missing = {"TreatMissingData": "breaching"}
    assert service.alarm(service.error_rate(), **missing)["StateValue"] == "ALARM"
    assert service.alarm(service.error_rate("100*FILL(errors,0)/requests"), **missing)["StateValue"] == "OK"


def test_an_alarm_becomes_one_on_metric_math_and_back(service: Service) -> None:
    name = service.alarm(service.error_rate())["AlarmName"]
    service.put("Requests", {0: 10})
    one = {"MetricName": "Requests", "Namespace": service.name, "Statistic": "Sum", "Period": 60}
    service.client.put_metric_alarm(
        AlarmName=name, EvaluationPeriods=1, Threshold=5.0, ComparisonOperator="GreaterThanThreshold", **one
    )
    alarm = service.described(name)
    assert (alarm["StateValue"], "Metrics" in alarm) == ("ALARM", False)
    assert service.alarm(service.error_rate(), AlarmName=name)["StateValue"] == "OK"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda queries: queries[0].update(ReturnData=False), "Exactly one element .* return data, and 0 do"),
        (lambda queries: queries[1].update(ReturnData=True), "Exactly one element .* return data, and 2 do"),
        (lambda queries: queries[0].update(Expression="errors/nobody"), "names 'nobody'"),
        (lambda queries: queries[0].update(Expression="rate + 1"), "waits for itself: rate -> rate"),
        (lambda queries: queries[0].update(Expression="SUM(errors)"), "does not give one time series"),
        (lambda queries: queries[0].update(Expression="METRICS()"), "does not give one time series"),
        (lambda queries: queries[0].update(Expression="ANOMALY_DETECTION_BAND(errors)"), "local cloud does not know"),
        (lambda queries: queries[1].update(Id="requests"), "have one Id"),
        (lambda queries: queries[0].pop("Expression"), "needs either MetricStat or Expression"),
    ],
)
def test_what_no_alarm_can_watch_is_refused(service: Service, change: Any, message: str) -> None:
    queries = service.error_rate()
    change(queries)
    with pytest.raises(ClientError, match=message) as raised:
        service.alarm(queries)
    assert raised.value.response["Error"]["Code"] == "ValidationError"


def test_a_template_s_alarm_on_metric_math_acts_and_is_told(service: Service) -> None:
    formation, events, sqs = (boto3.client(name) for name in ("cloudformation", "events", "sqs"))
    allowed = policy(Principal={"Service": "events.amazonaws.com"}, Action="sqs:SendMessage", Resource="*")
    queue = sqs.create_queue(QueueName=service.name, Attributes={"Policy": allowed})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(
        Name=service.name,
        EventPattern=json.dumps({"source": ["aws.cloudwatch"], "detail": {"alarmName": [service.name]}}),
    )
    events.put_targets(Rule=service.name, Targets=[{"Id": "queue", "Arn": arn}])
    errors = service.query("Errors", ReturnData="false")
    errors["MetricStat"]["Period"] = "60"
    properties = {
        "AlarmName": service.name,
        "Metrics": [{"Id": "twice", "Expression": "errors * 2"}, errors],
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    template = json.dumps({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}})
    formation.create_stack(StackName=service.name, TemplateBody=template)
    formation.get_waiter("stack_create_complete").wait(StackName=service.name, WaiterConfig={"Delay": 1})
    assert service.described(service.name)["StateValue"] == "OK"
    service.client.put_metric_data(Namespace=service.name, MetricData=[{"MetricName": "Errors", "Value": 3.0}])
    assert service.described(service.name)["StateValue"] == "ALARM"
    received: list[dict[str, Any]] = []

    def alarmed() -> bool:
        messages = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        received.extend(json.loads(message["Body"])["detail"] for message in messages)
        return any(one["state"]["value"] == "ALARM" for one in received)

    eventually(alarmed)
    shown = received[-1]["configuration"]["metrics"]
    assert shown[0] == {"id": "twice", "expression": "errors * 2", "returnData": True}
    assert shown[1]["metricStat"]["metric"] == {"namespace": service.name, "name": "Errors", "dimensions": {}}


def test_a_composite_alarm_follows_one_on_metric_math(service: Service) -> None:
    child = service.alarm(service.error_rate())["AlarmName"]
    service.client.put_composite_alarm(AlarmName=f"{child}-all", AlarmRule=f'ALARM("{child}")')

    def state() -> str:
        found = service.client.describe_alarms(AlarmNames=[f"{child}-all"], AlarmTypes=["CompositeAlarm"])
        return str(found["CompositeAlarms"][0]["StateValue"])

    assert state() == "OK"
    for metric, value in (("Requests", 10.0), ("Errors", 5.0)):
        service.client.put_metric_data(Namespace=service.name, MetricData=[{"MetricName": metric, "Value": value}])
    assert state() == "ALARM"


def test_data_of_expressions_come_newest_first(service: Service) -> None:
    service.put("Requests", {0: 100, 1: 50, 2: 10})
    service.put("Errors", {0: 10, 2: 1})
    [rate, requests] = service.data([*service.error_rate()[:2], service.query("Requests", ReturnData=True)])
    assert (rate["Id"], rate["Label"], rate["StatusCode"]) == ("rate", "Error rate", "Complete")
    assert rate["Values"] == [10.0, 10.0]
    assert requests["Values"] == [100.0, 50.0, 10.0]
    assert requests["Timestamps"][0] == datetime.fromtimestamp(service.full, UTC)
    [oldest] = service.data(service.error_rate("FILL(errors, 0)"), ScanBy="TimestampAscending")
    assert oldest["Values"] == [1.0, 0.0, 10.0]
    each = service.data(service.error_rate("FILL(METRICS(), 0)"))
    assert [one["Values"] for one in each] == [[10.0, 0.0, 1.0], [100.0, 50.0, 10.0]]
    [total] = service.data(service.error_rate("SUM(requests)"))
    assert total["Values"] == [160.0] * 3
    with pytest.raises(ClientError, match="names 'nobody'"):
        service.data(service.error_rate("nobody"))


def test_percentiles_count_each_value_as_often_as_it_came(service: Service) -> None:
    stamp = datetime.fromtimestamp(service.full, UTC)
    datum = {"MetricName": "Took", "Values": [10.0, 20.0, 90.0], "Counts": [60.0, 35.0, 5.0], "Timestamp": stamp}
    service.client.put_metric_data(Namespace=service.name, MetricData=[datum])
    queries = []
    for stat in ("p50", "p90", "p99", "SampleCount"):
        query = service.query("Took", Id=stat.lower(), ReturnData=True)
        query["MetricStat"]["Stat"] = stat
        queries.append(query)
    assert [one["Values"] for one in service.data(queries)] == [[10.0], [20.0], [90.0], [100.0]]
