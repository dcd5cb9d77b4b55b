"""Policies that name a rule of the default bus, or an alarm, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from role_support import Account, arn


def test_a_rule_and_an_alarm_are_checked_under_awss_names(root: Account) -> None:
    for name in ("roles-mine", "roles-other"):
        root("events").put_rule(Name=name, EventPattern='{"source": ["x"]}')
    role = root.role(
        "roles-named",
        "",
        {"Action": "events:EnableRule", "Resource": arn("events", "rule/roles-mine")},
        {
            "Action": [f"cloudwatch:{verb}" for verb in ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm")],
            "Resource": arn("cloudwatch", "alarm:roles-mine"),
        },
    )
    me = root.acting_as(role)
    me("events").enable_rule(Name="roles-mine")
    alarm: dict[str, Any] = {"Namespace": "x", "MetricName": "x", "Statistic": "Sum", "Period": 60}
    alarm |= {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    me("cloudwatch").put_metric_alarm(AlarmName="roles-mine", **alarm)
    me("cloudwatch").delete_alarms(AlarmNames=["roles-mine"])
    assert me("cloudwatch").describe_alarms(AlarmNames=["roles-mine"])["MetricAlarms"] == []
    for verb, refused in (("PutMetricAlarm", "put_metric_alarm"), ("DeleteAlarms", "delete_alarms")):
        named = {"AlarmNames": ["roles-other"]} if verb == "DeleteAlarms" else {"AlarmName": "roles-other", **alarm}
        with pytest.raises(ClientError, match=f"not authorized to perform: cloudwatch:{verb}"):
            getattr(me("cloudwatch"), refused)(**named)
    with pytest.raises(ClientError, match=f"on resource: {arn('events', 'rule/roles-other')} because"):
        me("events").enable_rule(Name="roles-other")
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:DescribeAlarms"):
        me("cloudwatch").describe_alarms(AlarmNames=["roles-other"])
