"""A change of an alarm's state is an event on the default bus."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch, eventbridge

from localcloud.corrections import seam

BEHAVIOUR = "EventBridge gets 'CloudWatch Alarm State Change' from aws.cloudwatch with the alarm's old and new state."
EVIDENCE = "CloudWatch user guide, 'Alarm events and EventBridge', with samples of the event."
MINISTACK = "1.5.33"

_last: dict[str, dict[str, Any]] = {}
"""By ARN, the state that was told last: the next event has it as the previous one."""


def event(alarm: dict[str, Any], before: str, state: str, reason: str) -> dict[str, Any]:
    """The entry for PutEvents about a metric alarm or a composite one."""
    arn = alarm["AlarmArn"]
    now = {"value": state, "reason": reason, "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"}
    if alarm.get("StateReasonData"):
        now["reasonData"] = alarm["StateReasonData"]
    previous = _last.get(arn, {})
    _last[arn] = now
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": now,
        "previousState": previous if previous.get("value") == before else {"value": before},
        "configuration": _configuration(alarm),
    }
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [arn],
        "Detail": json.dumps(detail),
    }


def _configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    description = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {**description, "alarmRule": alarm["AlarmRule"]}
    if alarm.get("Metrics"):
        return {**description, "metrics": [_query(query) for query in alarm["Metrics"]]}
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions") or []},
    }
    statistic = {
        "metric": metric,
        "period": alarm.get("Period"),
        "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
    }
    return {**description, "metrics": [{"id": str(uuid.uuid4()), "metricStat": statistic, "returnData": True}]}


def _query(query: dict[str, Any]) -> dict[str, Any]:
    """An element of an alarm on metric math, as the guide's sample shows it."""
    shown = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    shown |= {name.lower(): query[name] for name in ("Expression", "Label") if query.get(name)}
    if stat := query.get("MetricStat"):
        metric = stat["Metric"]
        shown["metricStat"] = {
            "metric": {
                "namespace": metric.get("Namespace"),
                "name": metric.get("MetricName"),
                "dimensions": {one["Name"]: one["Value"] for one in metric.get("Dimensions") or []},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return shown


def _dispatch(original: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        original(alarm, old_state, new_state, reason)
        eventbridge._put_events({"Entries": [event(alarm, old_state, new_state, reason)]}, allow_aws_source=True)

    return dispatch


def apply() -> None:
    """Raises SeamError when MiniStack tells changes of alarms, or publishes events, in another way."""
    seam.original(__name__, eventbridge, "_put_events", "data", "allow_aws_source")
    parameters = ("alarm", "old_state", "new_state", "reason")
    seam.replace(__name__, cloudwatch, "_dispatch_alarm_actions", *parameters, by=_dispatch)
