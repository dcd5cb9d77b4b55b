"""How a running job is told to end early: somebody stopped it, its time is over, or the server shuts down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPPED = "Stopped"
MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"


class InterruptedJobError(Exception):
    """The job was told to end; the argument says why."""


class Interruption:
    """A request to end, which any thread may make and the job's own thread notices.

    The first reason counts. Whatever is registered with `on` when the request comes is called at once.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.reason = ""
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []

    def ask(self, reason: str) -> None:
        """Ask the job to end."""
        with self._lock:
            if self.event.is_set():
                return
            self.reason = reason
            self.event.set()
            actions = list(self._actions)
        for action in actions:
            action()

    def check(self) -> None:
        """Do nothing, unless the job was asked to end.

        Raises:
            InterruptedJobError: it was.
        """
        if self.event.is_set():
            raise InterruptedJobError(self.reason)

    @contextmanager
    def on(self, action: Callable[[], None]) -> Iterator[None]:
        """Call `action` when the request comes during the block; at once if it came before."""
        with self._lock:
            self._actions.append(action)
            late = self.event.is_set()
        try:
            if late:
                action()
            yield
        finally:
            with self._lock:
                self._actions.remove(action)
