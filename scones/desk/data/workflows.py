"""Executions of the state machines: how today's went, and what the latest ones are doing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Literal

from stepfunctions.executions import describe, list_executions
from stepfunctions.inference import LOW_CONFIDENCE, UNFAMILIAR

Ending = Literal["routed", "not routed", "failed", "running", "not looked at"]
"""`not routed`: the model was not sure enough, or did not know such pictures. `failed`: for any other reason."""
AT_ONCE = 8
DESCRIBE_SECONDS = 0.6
"""How long one look may ask for the reasons of failures; the others are asked for at the next."""


class Today:
    """The executions of one machine since midnight, UTC. Why one failed is asked once; any thread may call."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self._errors: dict[str, str] = {}
        self._lock = threading.Lock()

    def counts(self) -> Counter[Ending]:
        """How the executions of today ended.

        Raises:
            SconesError: Step Functions refused or did not answer.
        """
        with self._lock:
            midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            found = list_executions(self.machine, since=midnight)
            self._ask([one["executionArn"] for one in found if one["status"] == "FAILED"])
            return Counter(self._ending(one) for one in found)

    def _ask(self, failed: list[str]) -> None:
        self._errors = {arn: self._errors[arn] for arn in failed if arn in self._errors}
        unknown = [arn for arn in failed if arn not in self._errors]
        deadline = time.monotonic() + DESCRIBE_SECONDS
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for start in range(0, len(unknown), AT_ONCE):
                for one in pool.map(describe, unknown[start : start + AT_ONCE]):
                    self._errors[one.arn] = one.error
                if time.monotonic() > deadline:
                    return

    def _ending(self, one: dict[str, Any]) -> Ending:
        if one["status"] in ("RUNNING", "PENDING_REDRIVE"):
            return "running"
        if one["status"] == "SUCCEEDED":
            return "routed"
        if one["status"] == "FAILED" and one["executionArn"] not in self._errors:
            return "not looked at"
        return "not routed" if self._errors.get(one["executionArn"]) in (LOW_CONFIDENCE, UNFAMILIAR) else "failed"
