"""Executions of a state machine: start one, find the one that an event started, follow it to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from project import aws
from project.errors import ExecutionFailedError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
EVENT_PATIENCE = 60.0
"""Seconds until an event must have started its execution; it takes about one."""


@dataclass(frozen=True)
class Ended:
    """How an execution ended: `status` as Step Functions has it, `output` or else `error` and `cause`."""

    arn: str
    status: str
    started: datetime
    stopped: datetime
    output: dict[str, Any]
    error: str
    cause: str

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    @property
    def seconds(self) -> float:
        return (self.stopped - self.started).total_seconds()

    @property
    def problem(self) -> str:
        return sentence(self.cause)


def sentence(cause: str) -> str:
    """The sentence in a failure's cause, when the cause is the JSON that our functions write; else all of it."""
    try:
        return str(json.loads(cause)["problem"])
    except (ValueError, KeyError, TypeError):
        return cause


def start(machine: str, request: dict[str, Any]) -> str:
    """Start an execution of the machine of that ARN; the execution's ARN.

    Raises:
        CloudError: there is no such machine, or the caller may not start it.
    """
    with aws.explained(f"starting {machine}"):
        text = json.dumps(request, allow_nan=False)
        return str(aws.client("stepfunctions").start_execution(stateMachineArn=machine, input=text)["executionArn"])


def known(machine: str) -> set[str]:
    """ARNs of the machine's latest executions: what was there before an event is not what it started."""
    with aws.explained(f"listing the executions of {machine}"):
        page = aws.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=100)
    return {str(one["executionArn"]) for one in page["executions"]}


def running(machine: str) -> set[str]:
    """ARNs of the machine's executions that have not ended."""
    with aws.explained(f"listing the executions of {machine}"):
        page = aws.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    return {str(one["executionArn"]) for one in page["executions"]}


def started_by(
    machine: str, before: set[str], wanted: Callable[[dict[str, Any]], bool], patience: float = EVENT_PATIENCE
) -> str | None:
    """The first execution, not one of `before`, whose input is `wanted`; None when none started within `patience` s."""
    for _ in _turns(patience):
        fresh = [arn for arn in known(machine) - before if wanted(input_of(arn))]
        if fresh:
            return min(fresh, key=lambda arn: str(_described(arn)["startDate"]))
    return None


def input_of(execution: str) -> dict[str, Any]:
    """What the execution was started with."""
    found: dict[str, Any] = json.loads(_described(execution)["input"])
    return found


def ended(execution: str) -> Ended:
    """Wait for the execution's end."""
    return follow(execution, None)


def follow(execution: str, tell: Callable[[str], None] | None) -> Ended:
    """Wait for the execution's end and `tell` the name of every state it enters, with the seconds since its start.

    A Choice is not told: the state that comes next says what was chosen.
    """
    told = 0
    for _ in _turns(None):
        found = _described(execution)
        if tell:
            for entered in _states_entered(execution)[told:]:
                at = (entered["timestamp"] - found["startDate"]).total_seconds()
                tell(f"{entered['stateEnteredEventDetails']['name']:<22} {at:6.1f} s")
                told += 1
        if found["status"] != "RUNNING":
            break
    return Ended(
        arn=execution,
        status=found["status"],
        started=found["startDate"],
        stopped=found["stopDate"],
        output=json.loads(found.get("output") or "{}") if found["status"] == "SUCCEEDED" else {},
        error=found.get("error", ""),
        cause=found.get("cause", ""),
    )


def raise_unless_succeeded(end: Ended, what: str) -> None:
    """Nothing for an execution that succeeded.

    Raises:
        ExecutionFailedError: it did not; `what` says which workflow this was.
    """
    if not end.succeeded:
        reason = f"{end.error}: {end.problem}" if end.error else "no reason given"
        raise ExecutionFailedError(
            f"{what} {end.status.lower()}: {reason}",
            f"All of it: aws stepfunctions describe-execution --execution-arn {end.arn}",
        )


def _states_entered(execution: str) -> list[dict[str, Any]]:
    with aws.explained(f"reading the history of {execution}"):
        pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
    return [one for one in events if one["type"].endswith("StateEntered") and one["type"] != "ChoiceStateEntered"]


def _described(execution: str) -> dict[str, Any]:
    with aws.explained(f"looking at execution {execution}"):
        found: dict[str, Any] = aws.client("stepfunctions").describe_execution(executionArn=execution)
    return found


def _turns(patience: float | None) -> Iterator[None]:
    """Turns at growing distance until `patience` seconds have passed; without end for None."""
    deadline, pause = time.monotonic() + (patience or 0), FIRST_PAUSE
    while True:
        yield
        if patience is not None and time.monotonic() > deadline:
            return
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.3)
