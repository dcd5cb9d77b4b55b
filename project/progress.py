"""How far something is and how long it will take: one live line on a terminal, elsewhere a plain line now and then.

Always on stderr. The live line is rich's, which the SageMaker SDK brings along; it is imported on terminals alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from project import console

FIRST_SECONDS, LONGEST_SECONDS = 30.0, 600.0
"""After how long the first plain line about a thing comes; each pause is twice the one before, up to the longest."""
BAR_CELLS = 24
Show = Callable[..., None]
"""`show(what, words, done, total)`; the time that is left is told when `done` of `total` are known."""


@dataclass
class _Shown:
    """What is being done, since when; `first` and `last` are how much was done at which time, when that was told."""

    what: str = ""
    words: str = ""
    total: float | None = None
    since: float = 0.0
    first: tuple[float, float] | None = None
    last: tuple[float, float] | None = None
    next_line: float = FIRST_SECONDS


@contextmanager
def progress() -> Iterator[Show]:
    """A function that shows how far things are, one after another, until the block ends."""
    now = _Shown()

    def show(what: str, words: str = "", done: float | None = None, total: float | None = None) -> None:
        if what != now.what:
            now.what, now.since, now.next_line = what, time.monotonic(), FIRST_SECONDS
            now.first = now.last = None
        now.words, now.total = words, total
        if done is not None and (now.last is None or done != now.last[0]):
            now.last = (done, time.monotonic())
            now.first = now.first or now.last

    if console.is_terminal(sys.stderr):
        with _live(now):
            yield show
    else:

        def show_plainly(*facts: Any) -> None:
            show(*facts)
            passed = time.monotonic() - now.since
            if passed >= now.next_line:
                console.say(f"{now.what}: {_told(now)}")
                now.next_line = passed + min(now.next_line, LONGEST_SECONDS)

        yield show_plainly


@contextmanager
def _live(now: _Shown) -> Iterator[None]:
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    def line() -> Table | str:
        if not now.what:
            return ""
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        bar = ProgressBar(now.total, now.last[0], BAR_CELLS) if now.total and now.last else ""
        grid.add_row(now.what, bar, _told(now))
        return grid

    with (
        console.terminal(sys.stderr) as terminal,
        Live(console=terminal, get_renderable=line, transient=True, redirect_stdout=False, redirect_stderr=False),
    ):
        yield


def _told(now: _Shown) -> str:
    """`epoch 12 of 25, 14 s left`, or how long it has taken so far."""
    left = _left(now)
    time_of_it = f"{in_words(time.monotonic() - now.since)} so far" if left is None else f"{in_words(left)} left"
    return ", ".join(filter(None, (now.words, time_of_it)))


def _left(now: _Shown) -> float | None:
    """Seconds for the rest at the pace from the first amount to the last; None as long as there is no pace."""
    if now.total is None or not now.first or not now.last or now.last[0] <= now.first[0]:
        return None
    (first, began), (last, when) = now.first, now.last
    return max(0.0, (when - began) * (now.total - last) / (last - first) - (time.monotonic() - when))


def megabytes(done: float, total: float) -> str:
    """`3.1 of 11.2 MB`."""
    return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"


def in_words(seconds: float) -> str:
    """`42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
