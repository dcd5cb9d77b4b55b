"""Rules of the default bus see alarms change."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
from cloud_fixtures import LocalCloud, eventually, policy


def test_a_rule_gets_the_change_of_an_alarm(on_local_cloud: LocalCloud) -> None:
    cloudwatch, events, sqs = (boto3.client(name) for name in ("cloudwatch", "events", "sqs"))
    name = f"change-{uuid.uuid4().hex[:8]}"
    allowed = policy(Principal={"Service": "events.amazonaws.com"}, Action="sqs:SendMessage", Resource="*")
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": allowed})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription="for a test",
        Namespace=name,
        MetricName="Errors",
        Dimensions=[{"Name": "Model", "Value": "A"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    metric = {"MetricName": "Errors", "Dimensions": [{"Name": "Model", "Value": "A"}], "Value": 5.0}
    cloudwatch.put_metric_data(Namespace=name, MetricData=[metric])
    received: list[dict[str, Any]] = []

    def arrived() -> bool:
        messages = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        received.extend(json.loads(message["Body"]) for message in messages)
        return bool(received)

    eventually(arrived)
    event = received[0]
    assert event["resources"] == [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"]
    assert event["detail"]["previousState"]["value"] == "OK"
    assert event["detail"]["state"]["reason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [5.0 (")
    assert json.loads(event["detail"]["state"]["reasonData"])["recentDatapoints"] == [5.0]
    configuration = event["detail"]["configuration"]
    [metric_of_event] = configuration["metrics"]
    assert configuration["description"] == "for a test"
    assert metric_of_event["metricStat"]["metric"] == {
        "namespace": name,
        "name": "Errors",
        "dimensions": {"Model": "A"},
    }
