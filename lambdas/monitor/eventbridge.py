"""The schedule in EventBridge Scheduler, which calls this function every hour to start a processing job.

Its universal target could start the job by itself, but not find the hour's captured files, nor leave out what is not
there.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from lambdas.monitor.watching import Watching
from lambdas.service_errors import calling

HOURLY = "cron(5 * * * ? *)"
"""Five minutes past the hour: captured requests take a few minutes to reach S3."""


def create_schedule(host: Watching, scheduler: Any, function_arn: str) -> None:
    """Make the schedule call the function, whether it exists or not."""
    asked: dict[str, Any] = {
        "Name": host.schedule,
        "Description": f"Starts the monitor of endpoint {host.endpoint}.",
        "ScheduleExpression": HOURLY,
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Target": {
            "Arn": function_arn,
            "RoleArn": host.scheduler_role_arn,
            "Input": json.dumps({"action": "start"}),
            # Of deliveries. What the function raises, Lambda tries again and keeps: its EventInvokeConfig.
            "RetryPolicy": {"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 3000},
            "DeadLetterConfig": {"Arn": host.undelivered_arn},
        },
    }
    with calling(f"making schedule {host.schedule}"):
        try:
            scheduler.create_schedule(**asked)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            scheduler.update_schedule(**asked)


def delete_schedule(host: Watching, scheduler: Any) -> bool:
    """Delete the schedule; False when there was none."""
    with calling(f"deleting schedule {host.schedule}"):
        try:
            scheduler.delete_schedule(Name=host.schedule)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return False
            raise
    return True
