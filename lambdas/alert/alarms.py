"""A CloudWatch alarm that changed its state, as SNS delivers it, as a problem.

The message is only the occasion: it may be delivered twice, late (Lambda tries a failed event again after minutes) and
after the message of a later change. What is told is the state that the alarm is in now.
"""

from __future__ import annotations

from typing import Any

from lambdas.alert.problem import AlertProblem
from lambdas.service_errors import calling

JUDGED = ("drift", "low-confidence", "capture-rate", "monitor-failed")
"""Alarms on what the monitor measured. Only a later run says that such a problem is over; the metric ends by itself
when there are no runs any more, and silence is not health."""


def key(message: dict[str, Any], project: str) -> str:
    """The key of the problem that the alarm is about."""
    return str(message["AlarmName"]).removeprefix(f"{project}-")


def present(message: dict[str, Any], cloudwatch: Any) -> tuple[str, str]:
    """The alarm's state and the reason for it: now, or as the message says if the alarm is gone or lacks data.

    Raises:
        RetryableError, FailedError: CloudWatch did not answer.
    """
    name = message["AlarmName"]
    with calling(f"looking at alarm {name}"):
        found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if found and found[0]["StateValue"] != "INSUFFICIENT_DATA":
        return found[0]["StateValue"], str(found[0].get("StateReason", ""))
    return message["NewStateValue"], str(message.get("NewStateReason", ""))


def problem(message: dict[str, Any], project: str, state: str, reason: str) -> AlertProblem | None:
    """The problem that an alarm in this state tells; None for a state that says nothing new."""
    about = key(message, project)
    if state == "INSUFFICIENT_DATA" or (state == "OK" and about in JUDGED):
        return None
    what = str(message.get("AlarmDescription") or message["AlarmName"]).rstrip(".")
    trigger = message.get("Trigger", {})
    return AlertProblem(
        key=about,
        firing=state == "ALARM",
        what=what,
        measured=(reason if len(reason) <= 400 else f"{reason[:397]}...",),
        where=(
            f"alarm {message['AlarmName']} on {trigger.get('Namespace')} {trigger.get('MetricName')}",
            f"Its history: CloudWatch, alarm {message['AlarmName']}",
        ),
    )
