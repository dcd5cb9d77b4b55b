"""What the cloud last said: asked once for everybody who looks, and kept while no cloud answers.

Pages that are drawn again ask the same few things of AWS. An answer younger than FRESH_SECONDS is given again; while no
cloud answers, any answer is, and the page marks it as stale (scones/desk/bar.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar, cast

from scones.desk.connection import problem_of_cloud

FRESH_SECONDS = 2.5
"""Less than the three seconds after which live parts of pages look again: those always ask anew."""
MOST = 1000
"""Answers that are kept; of more, the oldest go."""
NEVER: tuple[float | None, Any] = (None, None)
P = ParamSpec("P")
T = TypeVar("T")


class Known:
    """Answers by who gave them and what was asked. Any thread may call."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._forgotten = 0

    def __call__(self, ask: Callable[P, T], *asked: P.args, **more: P.kwargs) -> T:
        """What `ask` answers, or has just answered, or answered last if no cloud does now.

        Args:
            ask: a function that always is the same; everything it is asked with is hashable.

        Raises:
            SconesError: as `ask` does, and when no cloud answers and this was never asked.
        """
        return self.at_most_old(FRESH_SECONDS, ask, *asked, **more)

    def at_most_old(self, seconds: float, ask: Callable[P, T], *asked: P.args, **more: P.kwargs) -> T:
        """The same, where an answer of the last `seconds` will do."""
        name = (ask.__module__, ask.__qualname__, asked, tuple(sorted(more.items())))
        problem = problem_of_cloud()
        with self._lock:
            when, answer = self._answers.get(name, NEVER)
            began = self._forgotten
        if when is not None and (problem or time.monotonic() - when < seconds):
            return cast(T, answer)
        if problem:
            raise problem
        fresh = ask(*asked, **more)
        with self._lock:
            if began == self._forgotten:  # else it may tell of the time before a change
                self._answers.pop(name, None)
                self._answers[name] = (time.monotonic(), fresh)
                while len(self._answers) > MOST:
                    del self._answers[next(iter(self._answers))]
        return fresh

    def forget(self) -> None:
        """Ask everything again: something was changed. What is known stays for the time without a cloud."""
        with self._lock:
            self._forgotten += 1
            self._answers = {name: (float("-inf"), answer) for name, (_, answer) in self._answers.items()}
