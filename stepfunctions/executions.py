"""Executions of a state machine: start, list, describe, find the one that an event started, follow to the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from project import aws, json_text
from project.errors import CloudError, ExecutionFailedError
from project.progress import progress
from project.waiting import going_on, wait_between_looks

LONGEST_PAUSE = 3.0
EVENT_PATIENCE = 60.0
"""Seconds until an event must have started its execution; it takes about one."""
MOST = 5000


@dataclass(frozen=True)
class Execution:
    """One execution: `status` as Step Functions has it; `output` of one that succeeded, `error` and `cause` of others.

    `stopped` is None while it runs.
    """

    arn: str
    status: str
    started: datetime
    stopped: datetime | None = None
    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return ((self.stopped or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def problem(self) -> str:
        """The sentence in its cause, when the cause is the JSON that our functions write; else all of it."""
        return str(_object(self.cause).get("problem", self.cause))


def start(machine: str, request: dict[str, Any]) -> str:
    """Start an execution of the machine of that ARN; the execution's ARN.

    Raises:
        CloudError: there is no such machine, or the caller may not start it.
    """
    with aws.explained(f"starting {machine}"):
        text = json.dumps(request, allow_nan=False)
        return str(aws.client("stepfunctions").start_execution(stateMachineArn=machine, input=text)["executionArn"])


def describe(arn: str) -> Execution:
    """One execution, in full."""
    with aws.explained(f"looking at execution {arn}"):
        found = aws.client("stepfunctions").describe_execution(executionArn=arn)
    return Execution(
        arn=arn,
        status=found["status"],
        started=found["startDate"],
        stopped=found.get("stopDate"),
        input=_object(found.get("input")),
        output=_object(found.get("output")) if found["status"] == "SUCCEEDED" else {},
        error=found.get("error", ""),
        cause=found.get("cause", ""),
    )


def list_executions(machine: str, since: datetime | None = None, most: int = MOST) -> list[dict[str, Any]]:
    """ListExecutions' entries (executionArn, status, startDate), newest first; none when there is no such machine."""
    found: list[dict[str, Any]] = []
    with aws.explained(f"listing the executions of {machine}"):
        pages = aws.client("stepfunctions").get_paginator("list_executions")
        try:
            for page in pages.paginate(stateMachineArn=machine, PaginationConfig={"PageSize": min(most, 1000)}):
                fresh = [one for one in page["executions"] if since is None or one["startDate"] >= since]
                found += fresh
                if len(fresh) < len(page["executions"]) or len(found) >= most:
                    break
        except ClientError as error:
            if error.response["Error"]["Code"] != "StateMachineDoesNotExist":
                raise
    return found[:most]


def latest(machine: str, most: int) -> list[Execution]:
    """The machine's latest executions in full, newest first; none when there is no such machine."""
    return [describe(one["executionArn"]) for one in list_executions(machine, most=most)]


def known(machine: str) -> set[str]:
    """ARNs of the machine's latest executions: what was there before an event is not what it started."""
    return {str(one["executionArn"]) for one in list_executions(machine, most=100)}


def running(machine: str) -> set[str]:
    """ARNs of the machine's executions that have not ended."""
    with aws.explained(f"listing the executions of {machine}"):
        page = aws.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    return {str(one["executionArn"]) for one in page["executions"]}


def wait_until_started(
    machine: str, before: set[str], wanted: Callable[[dict[str, Any]], bool], patience: float = EVENT_PATIENCE
) -> str | None:
    """The first execution, not one of `before`, whose input is `wanted`; None when none started within `patience` s."""
    for _ in wait_between_looks(LONGEST_PAUSE, patience=patience):
        fresh = [found for found in map(describe, known(machine) - before) if wanted(found.input)]
        if fresh:
            return min(fresh, key=lambda one: one.started).arn
    return None


def longest(machine: str) -> float | None:
    """The seconds of the machine's longest execution that succeeded, of its latest ones; None before any has."""
    ended = [one for one in list_executions(machine, most=20) if one["status"] == "SUCCEEDED"]
    return max(((one["stopDate"] - one["startDate"]).total_seconds() for one in ended), default=None)


def wait_until_ended(arn: str) -> Execution:
    """Wait for the execution's end."""
    with _going_on(arn):
        for _ in wait_between_looks(LONGEST_PAUSE):
            found = describe(arn)
            if found.status != "RUNNING":
                break
    return found


def follow(arn: str, tell: Callable[[str], None], items: str = "") -> Execution:
    """Wait for the execution's end and `tell` the name of every state it enters, with the seconds since its start.

    A Choice is not told: the state that comes next says what was chosen. Nor is a state that is entered again, as those
    that look at an endpoint are: the progress says that it is the present one.

    Args:
        items: what the execution's distributed Map goes through, if it has one: its progress is shown.
    """
    machine, told, seen = arn.split(":")[-2], 0, set()
    with _going_on(arn), progress() as show:
        for _ in wait_between_looks(LONGEST_PAUSE):
            found = describe(arn)
            for name, entered in states_entered(arn, choices=False)[told:]:
                told += 1
                if name not in seen:
                    tell(f"{name:<22} {(entered - found.started).total_seconds():6.1f} s")
                seen.add(name)
                show(machine, name)
            if found.status != "RUNNING":
                break
            if items and (counts := _items(arn)):
                done, total = counts
                show(machine, f"{done} of {total} {items}", done, total)
    return found


def _going_on(arn: str) -> AbstractContextManager[None]:
    return going_on(f"Execution {arn} goes on: scones logs {arn} --follow.")


def _items(arn: str) -> tuple[int, int] | None:
    """How many items of the execution's distributed Map are done, and of how many; None before it has begun.

    None also for who may not ask: an error here is no error of the execution.
    """
    states = aws.client("stepfunctions")
    try:
        with aws.explained(f"looking at the map runs of {arn}"):
            for one in states.list_map_runs(executionArn=arn)["mapRuns"]:
                counts = states.describe_map_run(mapRunArn=one["mapRunArn"])["itemCounts"]
                return counts["total"] - counts["pending"] - counts["running"], counts["total"]
    except CloudError:
        pass
    return None


def states_entered(arn: str, choices: bool = True) -> list[tuple[str, datetime]]:
    """Names of the states that an execution entered, and when, in order; without Choice states if not `choices`."""
    with aws.explained(f"reading the history of {arn}"):
        pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event and (choices or event["type"] != "ChoiceStateEntered")
        ]


def raise_unless_succeeded(end: Execution, what: str) -> None:
    """Nothing for an execution that succeeded.

    Raises:
        ExecutionFailedError: it did not; `what` says which workflow this was.
    """
    if not end.succeeded:
        reason = f"{end.error}: {end.problem}" if end.error else "no reason given"
        summary = _object(end.cause).get("summary")
        raise ExecutionFailedError(
            f"{what} {end.status.lower()}: {reason}",
            (f"Every picture's reason: {summary}. " if summary else "") + f"All of it: scones logs {end.arn}",
        )


def _object(text: str | None) -> dict[str, Any]:
    """The JSON object in `text`; an empty one for anything else, which other people's executions may hold."""
    try:
        value = json_text.parsed(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
