"""A composite alarm of a template follows the alarms that its rule names."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
from cloud_fixtures import LocalCloud


def template(rule: str, name: str) -> str:
    usual = {"EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold"}
    errors = {"MetricName": "Errors", "Namespace": name, "Statistic": "Sum", "Period": 60, **usual}
    rate = {"Metrics": [{"Id": "e", "Expression": "m * 2"}, metric(name)], "TreatMissingData": "notBreaching", **usual}
    both = {"AlarmRule": {"Fn::Sub": rule}, "AlarmDescription": "both", "ActionsEnabled": "false"}
    resources = {
        "Errors": {"Type": "AWS::CloudWatch::Alarm", "Properties": errors | {"TreatMissingData": "notBreaching"}},
        "Rate": {"Type": "AWS::CloudWatch::Alarm", "Properties": rate},
        "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": both},
    }
    outputs = {"Name": {"Value": {"Ref": "Both"}}, "Arn": {"Value": {"Fn::GetAtt": ["Both", "Arn"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def metric(name: str) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": name, "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    return {"Id": "m", "MetricStat": stat, "ReturnData": False}


def test_a_stack_makes_changes_and_deletes_it(on_local_cloud: LocalCloud) -> None:
    formation, cloudwatch = boto3.client("cloudformation"), boto3.client("cloudwatch")
    name = f"composite-{uuid.uuid4().hex[:8]}"

    def alarms(named: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloudwatch.describe_alarms(AlarmNames=[named], AlarmTypes=["CompositeAlarm"])[
            "CompositeAlarms"
        ]
        return found

    formation.create_stack(StackName=name, TemplateBody=template("ALARM(${Errors}) AND ALARM(${Rate})", name))
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    outputs = {
        one["OutputKey"]: one["OutputValue"]
        for one in formation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    }
    [alarm] = alarms(outputs["Name"])
    assert (alarm["StateValue"], alarm["AlarmArn"], alarm["ActionsEnabled"]) == ("OK", outputs["Arn"], False)
    cloudwatch.put_metric_data(Namespace=name, MetricData=[{"MetricName": "Errors", "Value": 3.0}])
    assert alarms(outputs["Name"])[0]["StateValue"] == "OK"  # six on metric math, three by itself
    formation.update_stack(StackName=name, TemplateBody=template("ALARM(${Errors}) OR ALARM(${Rate})", name))
    formation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert alarms(outputs["Name"])[0]["StateValue"] == "ALARM"
    formation.delete_stack(StackName=name)
    formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert alarms(outputs["Name"]) == []
