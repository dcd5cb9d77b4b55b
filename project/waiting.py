"""Looking again and again at something that takes its time, without asking too often."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


def wait_between_looks(
    longest: float, first: float = 0.1, share: float = 0.3, patience: float | None = None
) -> Iterator[float]:
    """Yields the seconds waited so far, once per look, and waits between two looks.

    The pause is `share` of the time waited so far, but at least `first` and at most `longest` seconds: what ends soon
    is noticed soon, and what takes long is rarely asked about. Ends when `patience` seconds have passed, if given.
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        yield waited
        if patience is not None and time.monotonic() - began > patience:
            return
        time.sleep(min(longest, max(first, share * (time.monotonic() - began))))


@contextmanager
def going_on(words: str) -> Iterator[None]:
    """Have an interrupt of the block end the command with `words`: what goes on without it, and how to come back.

    Of blocks within each other the innermost knows best.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(*(interrupt.args or (words,))) from None
