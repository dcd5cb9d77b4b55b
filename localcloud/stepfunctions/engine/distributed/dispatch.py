"""A map run: its child executions are begun, counted, and stopped when too many failed.

AWS: developer guide, "Setting failure thresholds for Distributed Map states": each of the two thresholds that is given
holds; without any, the first failure ends the run. Counts are those of DescribeMapRun.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from localcloud.stepfunctions.engine.distributed.writer import MapChild

MOST_AT_ONCE = 100
"""Children of one map run that run side by side; AWS runs up to 10,000."""
PATIENCE_SECONDS = 0.2
"""How long it takes at most until a run notices that its execution was stopped or ran out of time."""
STATUSES = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}


@dataclass(frozen=True)
class Job:
    """A child execution to come: its place, its input (JSON), its items, and the ARN that it had before a redrive."""

    index: int
    input: str
    items: int
    arn: str | None = None


@dataclass
class MapRun:
    """A map run that runs; `redrives` counts how often it was begun anew, `definition` is what its children run."""

    arn: str
    machine: str
    definition: str
    express: bool
    concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    state: str
    redrives: int = 0
    children: dict[int, MapChild] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    waiting: deque[Job] = field(default_factory=deque)
    running: dict[int, Any] = field(default_factory=dict)
    written: bool = False
    failed_items: int = 0
    total: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def expect(self, jobs: Iterable[Job], done: dict[int, tuple[MapChild, Job]] | None = None) -> None:
        """Take the jobs to do, and those that an earlier attempt did."""
        with self.changed:
            self.waiting.extend(jobs)
            self.jobs = {job.index: job for job in self.waiting}
            for index, (child, job) in (done or {}).items():
                self.children[index], self.jobs[index] = child, job
            self.total = sum(job.items for job in self.jobs.values())

    def exceeded(self) -> bool:
        """Whether more items failed than are tolerated."""
        if not self.failed_items:
            return False
        if not (self.tolerated_count or self.tolerated_percentage):
            return True
        too_many = bool(self.tolerated_count) and self.failed_items > self.tolerated_count
        share = 100 * self.failed_items / self.total
        return too_many or (bool(self.tolerated_percentage) and share > self.tolerated_percentage)

    def update(self, concurrency: int | None, count: int | None, percentage: float | None) -> None:
        """Change the limits that are given."""
        with self.changed:
            self.concurrency = self.concurrency if concurrency is None else concurrency
            self.tolerated_count = self.tolerated_count if count is None else count
            self.tolerated_percentage = self.tolerated_percentage if percentage is None else percentage
            self.changed.notify_all()

    def end(self, index: int, child: MapChild) -> None:
        """Note how a child ended."""
        with self.changed:
            self.children[index] = child
            if child.status in ("FAILED", "TIMED_OUT"):
                self.failed_items += self.jobs[index].items
            self.running.pop(index, None)
            self.changed.notify_all()

    def dispatch(self, begin: Callable[[Job], Any], is_wanted: Callable[[], bool]) -> None:
        """Run all jobs; return when none runs. `begin` returns what can be told to `stop(error, cause)`."""
        while is_wanted() and not self.exceeded():
            with self.changed:
                if not self.waiting and not self.running:
                    return
                if not self.waiting or len(self.running) >= min(self.concurrency or MOST_AT_ONCE, MOST_AT_ONCE):
                    self.changed.wait(PATIENCE_SECONDS)
                    continue
                job = self.waiting.popleft()
                self.running[job.index] = None
            begun = begin(job)
            with self.changed:
                if job.index in self.running:
                    self.running[job.index] = begun
        for child in [child for child in self.running.values() if child]:
            child.stop(None, None)
        with self.changed:
            self.changed.wait_for(lambda: not self.running)

    def results(self) -> list[MapChild]:
        """The children in their order, those that were never begun among them."""
        pending = {job.index: MapChild("PENDING", job.input, self.machine) for job in self.waiting}
        everything = {**pending, **self.children}
        return [everything[index] for index in sorted(everything)]

    def counts(self) -> dict[str, dict[str, int]]:
        """What DescribeMapRun says of items and of executions."""
        with self.changed:
            items, executions = Counter[str](), Counter[str]()
            for index, job in self.jobs.items():
                child = self.children.get(index)
                where = "running" if index in self.running else STATUSES[child.status] if child else "pending"
                for counter, many in ((items, job.items), (executions, 1)):
                    counter[where] += many
                    counter["total"] += many
                    counter["resultsWritten"] += many if self.written and child else 0
        return {"itemCounts": dict(items), "executionCounts": dict(executions)}
