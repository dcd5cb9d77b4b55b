"""The history of one execution, event by event, as moto's interpreter makes it and as the API shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

Event = dict[str, Any]
LAST = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
"""One of these ends every history."""


class History(EventManager):
    """moto's event manager, which hands every event on at once instead of keeping it.

    All frames of an execution share it, so it also tells them the `definition`.
    """

    def __init__(self, definition: str, keep: Callable[[Event], None], logs: Any | None) -> None:
        super().__init__(cloud_watch_logging_session=logs)
        self.definition = definition
        self._keep = keep
        self.closed = False
        self._last_failure = ""

    def add_event(
        self,
        context: Any,
        event_type: Any,
        event_details: Any = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        """Add an event; a value that could not be had only once: moto tells of it where it fails, and above."""
        if event_type is HistoryEventType.EvaluationFailed:
            cause = event_details["evaluationFailedEventDetails"]["cause"]
            if self._last_failure.endswith(cause):
                return int(context.last_published_event_id)
            self._last_failure = cause
        else:
            self._last_failure = ""
        return int(super().add_event(context, event_type, event_details, timestamp, update_source_event_id))

    def _publish_history_event(
        self, event_id: int, source_event_id: int, event_type: Any, timestamp: str, event_details: Any
    ) -> None:
        if self.closed:
            return  # a task that goes on after its execution was stopped
        kind = str(getattr(event_type, "value", event_type))
        event = self._create_history_event(event_id, source_event_id, event_type, timestamp, event_details)
        event["type"] = kind
        event["timestamp"] = datetime.fromisoformat(timestamp).timestamp()
        self.closed = kind in LAST
        self._keep(event)
