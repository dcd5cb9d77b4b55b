"""The history of one execution, event by event, as moto's interpreter makes it and as the API shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventIdGenerator, EventManager

from localcloud.stepfunctions.engine.progress import Progress

Event = dict[str, Any]
LAST = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
"""One of these ends every history."""


class History(EventManager):
    """moto's event manager, which hands every event on at once instead of keeping it.

    All frames of an execution share it, so it also tells them the `definition`, the `progress` and where map runs are.
    """

    def __init__(
        self,
        definition: str,
        keep: Callable[[Event], None],
        map_runs: Any | None = None,
        progress: Progress | None = None,
        last_id: int = 0,
    ) -> None:
        """A history that goes on after the event `last_id`."""
        super().__init__()
        self._event_id_gen = EventIdGenerator()
        self._event_id_gen._next_id = last_id + 1
        self.definition = definition
        self.map_runs = map_runs
        self.progress = progress or Progress()
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
        """Add an event; a value that could not be had only once: moto tells of it where it fails, and above.

        A state that goes on after a redrive was entered before.
        """
        if vars(context).pop("is_entered", False) and str(getattr(event_type, "value", "")).endswith("StateEntered"):
            return int(context.last_published_event_id)
        if event_type is HistoryEventType.EvaluationFailed:
            cause = event_details["evaluationFailedEventDetails"]["cause"]
            if self._last_failure.endswith(cause):
                return int(context.last_published_event_id)
            self._last_failure = cause
        else:
            self._last_failure = ""
        return int(super().add_event(context, event_type, event_details, timestamp, update_source_event_id))

    def take_resumed(self, env: Any, state: str) -> bool:
        """Whether a program entered this state because it stood there before a redrive; told once."""
        return self.progress.take_resumed(tuple(getattr(env, "trail", ())), state)

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
