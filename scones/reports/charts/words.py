"""How charts write numbers and times, and how they show text from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from html import escape
from itertools import pairwise

import numpy as np

from monitoring.measures.rounding import beside

_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


@contextmanager
def in_zone(zone: tzinfo) -> Iterator[None]:
    """Charts that are made inside tell the time of `zone`; UTC otherwise."""
    token = _ZONE.set(zone)
    try:
        yield
    finally:
        _ZONE.reset(token)


def zone() -> tzinfo:
    """The time zone that charts tell."""
    return _ZONE.get()


def percent(value: float) -> str:
    """0.875 as `87.5%`, 0.9 as `90%`."""
    return f"{100 * value:.4g}%"


def tenths(value: float, limit: float = -1.0) -> str:
    """0.87543 as `87.5%`, 0.9 as `90%`; with more decimals where it would read like its limit and is not."""
    return beside(value, limit, 1, "%").replace(".0%", "%")


def moment(seconds: float) -> str:
    """A time in words, in the charts' zone, from seconds since 1970."""
    return f"{datetime.fromtimestamp(seconds, zone()):%d %b %H:%M:%S}"


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
    """Times as Plotly takes them: in the charts' zone, and without its name, or they would become the browser's."""
    told = np.array(list(seconds), np.float64)
    if zone() is not UTC:
        told = told + [_ahead(float(one)) for one in told]
    found: list[str] = np.datetime_as_string((told * 1000).astype("datetime64[ms]")).tolist()
    return found


def _ahead(seconds: float) -> float:
    """Seconds that the charts' zone is ahead of UTC at that time."""
    ahead = datetime.fromtimestamp(seconds, zone()).utcoffset()
    return ahead.total_seconds() if ahead else 0.0


def stretches_in_words(edges: Sequence[float]) -> list[str]:
    """What the bins between times are, from seconds since 1970."""
    return [f"{moment(low)} to {moment(high)}" for low, high in pairwise(edges)]
