"""A CloudWatch alarm that changed its state, as SNS delivers it, as a problem."""

from __future__ import annotations

from typing import Any

from lambdas.alert.problem import Problem

JUDGED = ("drift", "low-confidence", "capture-rate", "monitor-failed")
"""Alarms on what the monitor measured. Only a later run says that such a problem is over; the metric ends by itself
when there are no runs any more, and silence is not health."""


def problem(message: dict[str, Any], project: str) -> Problem | None:
    """The problem that an alarm's message tells; None for one that says nothing new."""
    key = str(message["AlarmName"]).removeprefix(f"{project}-")
    state = message["NewStateValue"]
    if state == "INSUFFICIENT_DATA" or (state == "OK" and key in JUDGED):
        return None
    what = str(message.get("AlarmDescription") or message["AlarmName"]).rstrip(".")
    trigger = message.get("Trigger", {})
    return Problem(
        key=key,
        firing=state == "ALARM",
        what=what,
        measured=(_reason(str(message.get("NewStateReason", ""))),),
        where=(
            f"alarm {message['AlarmName']} on {trigger.get('Namespace')} {trigger.get('MetricName')}",
            f"aws cloudwatch describe-alarm-history --alarm-name {message['AlarmName']}",
        ),
    )


def _reason(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:397]}..."
