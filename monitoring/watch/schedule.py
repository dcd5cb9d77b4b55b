"""The monitor of the endpoint, seen from outside: what is watched, by which scheduler, and when it runs next.

Attaching, detaching and starting are the function Monitor's business, which has the permissions for it. Jobs do not
travel with this module.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from project import aws
from project.errors import CloudError

MODEL_MONITOR, EVENTBRIDGE = "model-monitor", "eventbridge"
DELAYS = {MODEL_MONITOR: "up to 20 minutes later on AWS", EVENTBRIDGE: "five minutes past the hour"}


@dataclass(frozen=True)
class Attached:
    """What is watched.

    Attributes:
        scheduler: model-monitor or eventbridge; `why` that one.
        state: of the schedule, as its service says it: Scheduled, ENABLED, Stopped, …; "missing" when it is gone.
        statistics, constraints: S3 addresses of the baseline, or "".
        due: when the next run is due; None when none is.
    """

    version: int
    model_package: str
    endpoint: str
    scheduler: str
    why: str
    state: str
    statistics: str
    constraints: str
    since: datetime
    due: datetime | None


def ask_monitor(action: str, **more: Any) -> dict[str, Any]:
    """The answer of function Monitor to an action.

    Raises:
        CloudError: there is no such function, or it could not do it; with its own sentence.
    """
    name = aws.names().monitor
    answer = aws.ask_function(name, action, {"action": action, **more})
    if answer["outcome"] == "failed":
        raise CloudError(f"Asking function {name} to {action}: {answer['problem']}")
    return answer


def attached() -> Attached | None:
    """What is watched now; None when nothing is.

    Raises:
        CloudError: the stack is not deployed, or a service refused.
    """
    parameter = aws.names().monitor_parameter
    with aws.explained(f"reading parameter {parameter}"):
        record = json.loads(aws.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])
    if not record:
        return None
    state = _state(record["scheduler"])
    return Attached(
        version=record["version"],
        model_package=record["model_package_arn"],
        endpoint=record["endpoint"],
        scheduler=record["scheduler"],
        why=record["why"],
        state=state,
        statistics=record["statistics"],
        constraints=record["constraints"],
        since=datetime.fromtimestamp(record["since"], UTC),
        due=due(record["scheduler"], datetime.now(UTC)) if state in {"Scheduled", "ENABLED"} else None,
    )


def due(scheduler: str, now: datetime) -> datetime:
    """When an hourly schedule runs next: at the full hour, or five minutes past it."""
    minute = 5 if scheduler == EVENTBRIDGE else 0
    at = now.replace(minute=minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(hours=1)


def _state(scheduler: str) -> str:
    name = aws.names().monitor
    with aws.explained(f"looking at schedule {name}"):
        try:
            if scheduler == MODEL_MONITOR:
                found = aws.client("sagemaker").describe_monitoring_schedule(MonitoringScheduleName=name)
                return str(found["MonitoringScheduleStatus"])
            return str(aws.client("scheduler").get_schedule(Name=name)["State"])
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ResourceNotFound", "ResourceNotFoundException"}:
                return "missing"
            raise
