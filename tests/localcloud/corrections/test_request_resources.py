"""Policies that name a rule of the default bus, or an alarm, as AWS does."""

from __future__ import annotations

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
        {"Action": "cloudwatch:DescribeAlarms", "Resource": arn("cloudwatch", "alarm:roles-mine")},
    )
    me = root.acting_as(role)
    me("events").enable_rule(Name="roles-mine")
    assert me("cloudwatch").describe_alarms(AlarmNames=["roles-mine"])["MetricAlarms"] == []
    with pytest.raises(ClientError, match=f"on resource: {arn('events', 'rule/roles-other')} because"):
        me("events").enable_rule(Name="roles-other")
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:DescribeAlarms"):
        me("cloudwatch").describe_alarms(AlarmNames=["roles-other"])
