"""The account's pipelines and their executions. What cannot change any more is asked once; any thread may call."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from pipelines.runs import history
from pipelines.runs.executions import RUNNING, definition, describe, list_steps, newest_first
from pipelines.runs.history import Past
from project import aws

MOST_PIPELINES, MOST_LOOKED_AT, PAGE = 300, 1000, 100
"""How many pipelines are listed, how many executions are searched for a state, and how many come in an answer."""
AT_ONCE = 8
FRESH_SECONDS = 60.0
"""An execution that has ended may be resumed: it is asked about again after so long."""
MOST_KEPT = 2000


@dataclass(frozen=True)
class Created:
    """When executions began: in the last `seconds`, or from `after` until `before`; at any time if nothing is given."""

    seconds: float | None = None
    after: datetime | None = None
    before: datetime | None = None

    @property
    def earliest(self) -> datetime | None:
        """The time after which they were created."""
        return self.after if self.seconds is None else datetime.now(UTC) - timedelta(seconds=self.seconds)


ANY_TIME = Created()


@dataclass(frozen=True)
class Listed:
    """Executions, newest first; `is_all` unless there may be more, after `looked_at` were searched."""

    found: list[Past]
    looked_at: int
    is_all: bool


@dataclass(frozen=True)
class Execution:
    """One execution as it stands: DescribePipelineExecution's answer, its steps, the definition that it runs."""

    arn: str
    description: dict[str, Any]
    steps: list[dict[str, Any]]
    definition: dict[str, Any]
    values: dict[str, str]
    differs: dict[str, str] = field(default_factory=dict)

    @property
    def past(self) -> Past:
        return history.read(self.description, self.differs)

    @property
    def is_running(self) -> bool:
        return self.description["PipelineExecutionStatus"] in RUNNING


class Pipelines:
    """A reader for any pipeline."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: tuple[float, list[str]] = (float("-inf"), [])
        self._ended: dict[str, tuple[float, Past]] = {}
        self._differs: dict[str, dict[str, str]] = {}
        self._definitions: dict[str, dict[str, Any]] = {}

    def names(self) -> list[str]:
        """The pipelines of the account, the latest changed first.

        Raises:
            CloudError: SageMaker refused or did not answer. The functions below raise it too.
        """
        looked, known = self._names
        if time.monotonic() - looked < FRESH_SECONDS:
            return known
        with aws.explained("listing the account's pipelines"):
            pages = aws.client("sagemaker").get_paginator("list_pipelines")
            limits = {"PageSize": PAGE, "MaxItems": MOST_PIPELINES}
            found = [
                str(one["PipelineName"])
                for page in pages.paginate(PaginationConfig=limits)
                for one in page["PipelineSummaries"]
            ]
        self._names = (time.monotonic(), found)
        return found

    def executions(self, pipeline: str, statuses: Collection[str], most: int, created: Created = ANY_TIME) -> Listed:
        """The latest executions of that time, of these statuses only if any are given.

        Raises:
            UsageError: there is no such pipeline.
        """
        looked_at, chosen = 0, list[dict[str, Any]]()
        listing = newest_first(pipeline, PAGE, created.earliest, created.before)
        for one in islice(listing, MOST_LOOKED_AT):
            if len(chosen) == most:
                return Listed(self._pasts(chosen), looked_at, False)
            looked_at += 1
            if not statuses or one["PipelineExecutionStatus"] in statuses:
                chosen.append(one)
        return Listed(self._pasts(chosen), looked_at, looked_at < MOST_LOOKED_AT or next(listing, None) is None)

    def execution(self, arn: str) -> Execution:
        """One execution and its steps."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            description, steps = pool.submit(describe, arn), pool.submit(list_steps, arn)
            defined, differs = pool.submit(self.definition, arn), pool.submit(self.differs, arn)
            found = defined.result()
            defaults = {name: history.text_of(value) or "" for name, value in history.declared(found).items()}
            return Execution(
                arn, description.result(), steps.result(), found, {**defaults, **differs.result()}, differs.result()
            )

    def definition(self, arn: str) -> dict[str, Any]:
        """The definition that an execution runs, which never changes."""
        with self._lock:
            known = self._definitions.get(arn)
        if known is None:
            known = definition(arn)
            with self._lock:
                _keep(self._definitions, arn, known, MOST_KEPT // 20)
        return known

    def differs(self, arn: str) -> dict[str, str]:
        """The parameters in which an execution differs from the defaults, which never change."""
        with self._lock:
            known = self._differs.get(arn)
        if known is None:
            known = history.differing(arn)
            with self._lock:
                _keep(self._differs, arn, known, MOST_KEPT)
        return known

    def _pasts(self, chosen: list[dict[str, Any]]) -> list[Past]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._past, chosen))

    def _past(self, one: dict[str, Any]) -> Past:
        arn, status = str(one["PipelineExecutionArn"]), one["PipelineExecutionStatus"]
        with self._lock:
            looked, known = self._ended.get(arn, (0.0, None))
        if known and known.status == status and time.monotonic() - looked < FRESH_SECONDS:
            return known
        found = history.past(arn, self.differs(arn))
        with self._lock:
            if found.status in RUNNING:
                self._ended.pop(arn, None)
            else:
                _keep(self._ended, arn, (time.monotonic(), found), MOST_KEPT)
        return found


def _keep(kept: dict[str, Any], key: str, value: Any, most: int) -> None:
    """Remember a value, and forget the oldest when there are too many."""
    kept[key] = value
    while len(kept) > most:
        kept.pop(next(iter(kept)))
