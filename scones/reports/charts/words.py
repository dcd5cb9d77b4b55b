"""How charts write numbers and times, and how they show text from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

import numpy as np


def percent(value: float) -> str:
    """0.875 as `87.5%`, 0.9 as `90%`."""
    return f"{100 * value:.4g}%"


def tenths(value: float) -> str:
    """0.87543 as `87.5%`, 0.9 as `90%`."""
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


def moment(seconds: float) -> str:
    """A time in words, UTC, from seconds since 1970."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M:%S}"


def duration(seconds: float) -> str:
    """How long something took, in two units at most: `0.4 s`, `41 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 59.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{max(seconds, 0.0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if left else f"{hours} h"


def literal(text: str) -> str:
    """Text from outside as Plotly shows it letter by letter: its texts may hold a part of HTML."""
    return escape(text, quote=False)


def times(seconds: Iterable[float]) -> list[str]:
    """Times as Plotly takes them: UTC, and without a zone, or they would become the browser's."""
    found: list[str] = np.datetime_as_string((np.array(list(seconds)) * 1000).astype("datetime64[ms]")).tolist()
    return found


def stretches_in_words(edges: Sequence[float]) -> list[str]:
    """What the bins between times are, from seconds since 1970."""
    return [f"{moment(low)} to {moment(high)}" for low, high in pairwise(edges)]
