"""What a step's job or function wrote to CloudWatch Logs, the last lines of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from project import aws

MOST_STREAMS, MOST_PAGES = 8, 5
"""A job has a stream for each of its instances."""


@dataclass(frozen=True)
class Log:
    """Streams of a group whose names begin with `prefix`; `since` and `until` where others write there as well."""

    group: str
    prefix: str = ""
    since: datetime | None = None
    until: datetime | None = None


def tail(log: Log, most: int) -> list[str]:
    """The last lines, oldest first, at most so many; none if there is no log.

    Raises:
        CloudError: CloudWatch Logs refused or did not answer.
    """
    with aws.explained(f"reading the log {log.group} {log.prefix}".rstrip()):
        try:
            events = _within(log, most) if log.since else _at_end(log, most)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return []
    events.sort(key=lambda event: int(event["timestamp"]))
    return [str(event["message"]).rstrip() for event in events[-most:]]


def _at_end(log: Log, most: int) -> list[dict[str, Any]]:
    logs = aws.client("logs")
    found = logs.describe_log_streams(logGroupName=log.group, logStreamNamePrefix=log.prefix, limit=MOST_STREAMS)
    events: list[dict[str, Any]] = []
    for stream in found["logStreams"]:
        events += logs.get_log_events(
            logGroupName=log.group, logStreamName=stream["logStreamName"], limit=most, startFromHead=False
        )["events"]
    return events


def _within(log: Log, most: int) -> list[dict[str, Any]]:
    """Events of a time; an answer may hold none and yet have others after it."""
    request: dict[str, Any] = {"logGroupName": log.group}
    for member, moment in (("startTime", log.since), ("endTime", log.until)):
        if moment:
            request[member] = int(moment.timestamp() * 1000)
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(**request)
    events: list[dict[str, Any]] = []
    for _, page in zip(range(MOST_PAGES), pages, strict=False):
        events = [*events, *page["events"]][-most:]
    return events
