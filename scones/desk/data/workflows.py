"""Executions of the state machines: how today's went, and what the latest ones are doing."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from project import aws
from stepfunctions.executions import sentence
from stepfunctions.inference import LOW_CONFIDENCE

Ending = Literal["passed", "failed loudly", "broken", "running", "not looked at"]
AT_ONCE = 8
DESCRIBE_SECONDS = 0.6
"""How long one look may ask for the reasons of failures; the others are asked for at the next."""
MOST = 5000


@dataclass(frozen=True)
class WorkflowExecution:
    """One execution; `error` and `cause` of a failed one, `output` of one that succeeded."""

    arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None = None
    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""

    @property
    def seconds(self) -> float:
        return ((self.stopped or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def problem(self) -> str:
        return sentence(self.cause)


def latest(machine: str, most: int) -> list[WorkflowExecution]:
    """The machine's latest executions with all their details, newest first; none when there is no such machine."""
    return [described(one["executionArn"]) for one in _listed(machine, most=most)]


def described(arn: str) -> WorkflowExecution:
    """One execution, in full."""
    with aws.explained(f"looking at execution {arn}"):
        found = aws.client("stepfunctions").describe_execution(executionArn=arn)
    return WorkflowExecution(
        arn=arn,
        name=found["name"],
        status=found["status"],
        started=found["startDate"],
        stopped=found.get("stopDate"),
        input=_object(found.get("input")),
        output=_object(found.get("output")) if found["status"] == "SUCCEEDED" else {},
        error=found.get("error", ""),
        cause=found.get("cause", ""),
    )


def states_entered(arn: str) -> list[tuple[str, datetime]]:
    """Names of the states that an execution entered, and when, in order."""
    with aws.explained(f"reading the history of {arn}"):
        pages = aws.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]


class Today:
    """The executions of one machine since midnight, UTC. Why one failed is asked once; any thread may call."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self._errors: dict[str, str] = {}
        self._lock = threading.Lock()

    def counts(self, now: datetime) -> Counter[Ending]:
        """How the executions of the day of `now` ended.

        Raises:
            SconesError: Step Functions refused or did not answer.
        """
        with self._lock:
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            found = _listed(self.machine, since=midnight)
            self._ask([one["executionArn"] for one in found if one["status"] == "FAILED"])
            return Counter(self._ending(one) for one in found)

    def _ask(self, failed: list[str]) -> None:
        self._errors = {arn: self._errors[arn] for arn in failed if arn in self._errors}
        unknown = [arn for arn in failed if arn not in self._errors]
        deadline = time.monotonic() + DESCRIBE_SECONDS
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for start in range(0, len(unknown), AT_ONCE):
                for one in pool.map(described, unknown[start : start + AT_ONCE]):
                    self._errors[one.arn] = one.error
                if time.monotonic() > deadline:
                    return

    def _ending(self, one: dict[str, Any]) -> Ending:
        if one["status"] in ("RUNNING", "PENDING_REDRIVE"):
            return "running"
        if one["status"] == "SUCCEEDED":
            return "passed"
        if one["status"] == "FAILED" and one["executionArn"] not in self._errors:
            return "not looked at"
        return "failed loudly" if self._errors.get(one["executionArn"]) == LOW_CONFIDENCE else "broken"


def _listed(machine: str, since: datetime | None = None, most: int = MOST) -> list[dict[str, Any]]:
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


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
