"""May an execution be started again where it failed?

AWS: API reference, RedriveExecution and the members of DescribeExecution about it.
"""

from __future__ import annotations

import time

from localcloud.stepfunctions.protocol import Body, Resource

DAYS = 14
"""How long after its end an execution may be redriven."""
LONGEST_SECONDS = 365 * 24 * 3600
MOST_EVENTS = 24_999


def refusal(execution: Resource, events: int = 0) -> str | None:
    """Why the execution cannot be redriven, in AWS's words; None when it can."""
    if execution.status not in ("FAILED", "ABORTED", "TIMED_OUT"):
        return f"Execution is {execution.status} and cannot be redriven"
    now = time.time()
    if now - execution.body.get("stopDate", now) > DAYS * 24 * 3600:
        return "Execution redrivable period exceeded"
    if now - execution.body["startDate"] > LONGEST_SECONDS:
        return "Execution has exceeded the max execution time"
    return "Execution history event limit exceeded" if events >= MOST_EVENTS else None


def redrive(execution: Resource) -> Body:
    """The members of DescribeExecution about it."""
    body = {"redriveCount": execution.body.get("redriveCount", 0), "redriveDate": execution.body.get("redriveDate")}
    reason = refusal(execution)
    if reason is None:
        return {**body, "redriveStatus": "REDRIVABLE"}
    return {**body, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
