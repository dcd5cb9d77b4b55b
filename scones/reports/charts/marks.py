"""The traces that charts are put together from, as plain values.

Every point says in words where it is (`hovertext`) and what is there (`text`): that is what the pointer shows, and what
numbers.py lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from scones.reports.charts.theme import Role, paint
from scones.reports.charts.words import literal, tenths, times

Trace = dict[str, Any]
Write = Callable[[float], str]
BAND = 0.18
"""Opacity of the area between two bounds."""
HOVER = "%{hovertext}<br>%{fullData.name}: %{text}<extra></extra>"
HOVER_ALONE = "%{hovertext}: %{text}<extra></extra>"


def gaps(values: Iterable[float | None]) -> list[float | None]:
    """NaN as None, which interrupts a line."""
    return [None if value is None or math.isnan(value) else float(value) for value in values]


@dataclass(frozen=True)
class Interval:
    """Values with the bounds of an interval around each; all float (n,), None or NaN where nothing is known."""

    value: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


def line(
    name: str,
    x: Sequence[Any],
    y: Sequence[float | None] | Interval,
    role: Role,
    *,
    where: Sequence[str],
    write: Write = tenths,
    dots: bool = False,
    dashed: bool = False,
) -> list[Trace]:
    """A line through n points, over the band of its interval. None and NaN interrupt both.

    Args:
        where: each point's place on the x axis in words.
    """
    unknown: list[float | None] = [None] * len(x)
    parts = (y.value, y.low, y.high) if isinstance(y, Interval) else (y, unknown, unknown)
    values, lows, highs = (gaps(part) for part in parts)
    drawn = {
        "type": "scatter",
        "name": literal(name),
        "x": list(x),
        "y": values,
        "mode": "lines+markers" if dots or _has_single_points(values) else "lines",
        "line": {"color": paint(role), "width": 2, "dash": "dash" if dashed else "solid"},
        "marker": {"size": 6},
        "text": [_in_words(*one, write) for one in zip(values, lows, highs, strict=True)],
        "hovertext": [literal(one) for one in where],
        "hovertemplate": HOVER if name else HOVER_ALONE,
        "showlegend": bool(name),
    }
    return [_band(x, lows, highs, role), drawn] if isinstance(y, Interval) else [drawn]


def _in_words(value: float | None, low: float | None, high: float | None, write: Write) -> str:
    if value is None:
        return ""
    return write(value) if low is None or high is None else f"{write(value)} ({write(low)} to {write(high)})"


def _band(x: Sequence[Any], low: Sequence[float | None], high: Sequence[float | None], role: Role) -> Trace:
    """One closed area for each stretch without a gap: Plotly's own fill between two lines goes across gaps."""
    along: list[Any] = []
    around: list[float | None] = []
    for there, run in groupby(range(len(low)), lambda i: low[i] is not None):
        places = list(run)
        if there:
            along += [*(x[i] for i in places), *(x[i] for i in reversed(places)), None]
            around += [*(high[i] for i in places), *(low[i] for i in reversed(places)), None]
    return {
        "type": "scatter",
        "x": along,
        "y": around,
        "mode": "lines",
        "line": {"color": paint(role), "width": 1.5},
        "fill": "toself",
        "fillcolor": paint(role),
        "opacity": BAND,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _has_single_points(y: Sequence[float | None]) -> bool:
    """Whether a point stands between two gaps: a line alone would not show it."""
    there = [False, *(value is not None for value in y), False]
    return any(there[i] and not there[i - 1] and not there[i + 1] for i in range(1, len(there) - 1))


def points(
    name: str,
    x: Sequence[Any],
    y: Sequence[float],
    role: Role,
    *,
    where: Sequence[str],
    words: Sequence[str],
    symbol: str = "circle",
    chosen: Sequence[int] = (),
) -> Trace:
    """Points without a line. `chosen` holds what a click on each gives back."""
    return {
        "type": "scatter",
        "name": literal(name),
        "x": list(x),
        "y": list(y),
        "mode": "markers",
        "marker": {"color": paint(role), "symbol": symbol, "size": 7, "opacity": 0.75},
        "text": [literal(one) for one in words],
        "hovertext": [literal(one) for one in where],
        "hovertemplate": "%{hovertext}<br>%{text}<extra></extra>",
        **({"customdata": list(chosen)} if chosen else {}),
    }


def named_level(name: str, x: tuple[Any, Any], y: float) -> Trace:
    """A dashed level line that the legend names: a label beside it would lie on the data."""
    return {
        "type": "scatter",
        "name": literal(name),
        "x": list(x),
        "y": [y, y],
        "mode": "lines",
        "line": {"color": paint("ink"), "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }


def bars(
    name: str,
    edges: Sequence[float],
    heights: Sequence[float | None],
    role: Role,
    *,
    where: Sequence[str],
    write: Write = tenths,
    clock: bool = False,
    opacity: float = 1.0,
) -> Trace:
    """Bars over the n bins between `edges` (n + 1,), which are seconds since 1970 when `clock` is set."""
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    scale = 1000 if clock else 1  # a date axis measures widths in milliseconds
    widths = [(high - low) * scale for low, high in pairwise(edges)]
    trace = bars_at(name, times(middles) if clock else middles, heights, role, where=where, write=write)
    return {**trace, "width": widths, "opacity": opacity}


def bars_at(
    name: str,
    x: Sequence[Any],
    heights: Sequence[float | None],
    role: Role,
    *,
    where: Sequence[str],
    write: Write = tenths,
) -> Trace:
    """Bars at n places or names, as wide as there is room; those of several traces stand side by side."""
    values = gaps(heights)
    return {
        "type": "bar",
        "name": literal(name),
        "x": list(x),
        "y": values,
        "marker": {"color": paint(role), "line": {"color": paint("surface"), "width": 0.5}},
        "text": ["" if value is None else write(value) for value in values],
        "textposition": "none",
        "hovertext": [literal(one) for one in where],
        "hovertemplate": HOVER,
    }


def row_bars(
    name: str,
    rows: Sequence[str],
    lengths: Sequence[float],
    roles: Sequence[Role],
    *,
    words: Sequence[str],
    where: Sequence[str],
    least: float,
    starts: Sequence[float] | None = None,
) -> Trace:
    """A bar per row with its words behind it; one shorter than `least` is drawn as long as that, to be seen."""
    names = [literal(one) for one in rows]
    return {
        "type": "bar",
        "name": name,
        "orientation": "h",
        "x": [max(one, least) for one in lengths],
        "y": names,
        **({} if starts is None else {"base": list(starts)}),
        "marker": {"color": [paint(role) for role in roles]},
        "text": [literal(one) for one in words],
        "textposition": "outside",
        "textfont": {"color": paint("ink")},
        "cliponaxis": False,
        "hovertext": [literal(one) for one in where],
        "hovertemplate": HOVER_ALONE,
    }
