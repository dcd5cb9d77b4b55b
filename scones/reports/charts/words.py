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
