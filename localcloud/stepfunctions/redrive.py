"""What an execution's status says of starting it again where it failed."""

from __future__ import annotations

from localcloud.stepfunctions.protocol import Body


def redrive(status: str) -> Body:
    """The members of DescribeExecution about it."""
    if status in ("FAILED", "ABORTED", "TIMED_OUT"):
        return {"redriveCount": 0, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {status} and cannot be redriven"
    return {"redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
