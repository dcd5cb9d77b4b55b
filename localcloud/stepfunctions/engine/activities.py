"""The tasks of an activity that wait for a worker to ask for them."""

from __future__ import annotations

import queue
from datetime import UTC, datetime

from moto.stepfunctions.parser.backend.activity import Activity, ActivityTask


class Queue(Activity):
    """moto's activity, on whose tasks a worker can wait without polling."""

    def __init__(self, arn: str, name: str, created: float) -> None:
        super().__init__(arn, name, datetime.fromtimestamp(created, UTC))
        self._waiting: queue.SimpleQueue[ActivityTask] = queue.SimpleQueue()

    def add_task(self, task: ActivityTask) -> None:
        """Let the next worker have `task`."""
        self._waiting.put(task)

    def wait_for_task(self, seconds: float) -> ActivityTask | None:
        """The next task, or None when none comes in time."""
        try:
            return self._waiting.get(timeout=seconds)
        except queue.Empty:
            return None
