"""What charts are put together from: traces, guides and axes as plain values, and the figure around them.

Every point says in words where it is (`hovertext`) and what is there (`text`): that is what the pointer shows, and what
numbers.py lists. A figure is put together as plain values and checked by Plotly once: adding part by part checks
everything again each time, which takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from scones.reports.charts.theme import TEMPLATE, Role, paint

Trace = dict[str, Any]
Write = Callable[[float], str]
HEIGHT = 320
ROW = 28
"""Pixels of a chart, and of one row of a chart that has rows."""
ROWS_MARGIN = {"l": 16, "r": 16, "t": 20, "b": 56}
"""Of a chart that has rows: their names make themselves room on the left."""
BAND = 0.18
"""Opacity of the area between two bounds."""
HOVER = "%{hovertext}<br>%{fullData.name}: %{text}<extra></extra>"
HOVER_ALONE = "%{hovertext}: %{text}<extra></extra>"
EDGE = 0.6
"""Beyond this part of the width, the label of an upright line stands on its left."""


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
    bounds = y if isinstance(y, Interval) else None
    values = gaps(bounds.value if bounds else y)  # type: ignore[arg-type]  # not an interval, so a sequence
    lows, highs = (gaps(bounds.low), gaps(bounds.high)) if bounds else (values, values)
    words = [
        "" if value is None else write(value) + (f" ({write(low)} to {write(high)})" if bounds else "")  # type: ignore[arg-type]  # bounds of a value
        for value, low, high in zip(values, lows, highs, strict=True)
    ]
    drawn = {
        "type": "scatter",
        "name": literal(name),
        "x": list(x),
        "y": values,
        "mode": "lines+markers" if dots or _has_single_points(values) else "lines",
        "line": {"color": paint(role), "width": 2, "dash": "dash" if dashed else "solid"},
        "marker": {"size": 6},
        "text": words,
        "hovertext": [literal(one) for one in where],
        "hovertemplate": HOVER if name else HOVER_ALONE,
        "showlegend": bool(name),
    }
    return [_band(x, lows, highs, role), drawn] if bounds else [drawn]


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
    bins = list(pairwise(edges))
    middles = [(low + high) / 2 for low, high in bins]
    values = gaps(heights)
    return {
        "type": "bar",
        "name": literal(name),
        "x": times(middles) if clock else middles,
        "y": values,
        "width": [(high - low) * (1000 if clock else 1) for low, high in bins],  # a date axis measures milliseconds
        "marker": {"color": paint(role), "line": {"color": paint("surface"), "width": 0.5}},
        "opacity": opacity,
        "text": ["" if value is None else write(value) for value in values],
        "textposition": "none",
        "hovertext": list(where),
        "hovertemplate": HOVER,
    }


def stretches_in_words(edges: Sequence[float]) -> list[str]:
    """What the bins between times are, from seconds since 1970."""
    return [f"{moment(low)} to {moment(high)}" for low, high in pairwise(edges)]


def row_bars(
    name: str,
    rows: Sequence[str],
    lengths: Sequence[float],
    roles: Sequence[Role],
    *,
    words: Sequence[str],
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
        "hovertext": names,
        "hovertemplate": HOVER_ALONE,
    }


@dataclass(frozen=True)
class Guide:
    """A thin line that the data are compared with: upright at `x`, level at `y`, or the diagonal without either."""

    label: str = ""
    x: float | None = None
    y: float | None = None
    role: Role = "muted"


def axis(title: str, low: float | None = None, high: float | None = None, form: str = "") -> dict[str, Any]:
    """A linear axis; `form` is how ticks are written, in d3's language."""
    bounds = {} if low is None else {"range": [low, high]}
    return {"title": {"text": literal(title)}, "tickformat": form, "tickangle": 0, **bounds}


def share_axis(title: str, low: float = 0.0, high: float = 1.0) -> dict[str, Any]:
    """An axis of shares, written as per cent."""
    return axis(title, low, high, "~%")


def count_axis(title: str, counts: Iterable[float]) -> dict[str, Any]:
    """An axis from 0 for whole numbers, with room above them for a guide's label."""
    most = max([1.0, *counts])
    return axis(title, 0, 1.18 * most, ",d") | {"nticks": 6, **({"dtick": 1} if most <= 5 else {})}


def time_axis(low: float, high: float) -> dict[str, Any]:
    """A time axis, UTC, from seconds since 1970; one moment alone gets a minute around it."""
    if high - low < 1:
        low, high = low - 30, high + 30
    title = {"text": "time, UTC", "standoff": 4}
    return {"title": title, "type": "date", "range": times([low, high]), "tickangle": 0, "nticks": 6}


def names_axis(names: Sequence[str]) -> dict[str, Any]:
    """An axis of names, which may be long."""
    order = {"type": "category", "categoryorder": "array", "categoryarray": [literal(one) for one in names]}
    every = {"dtick": 1, "range": [-0.5, len(names) - 0.5], "automargin": True}
    return {**order, **every, "showgrid": False, "ticks": "", "tickfont": {"color": paint("ink")}}


def rows_axis(names: Sequence[str]) -> dict[str, Any]:
    """An upright axis of names, the first on top."""
    return {**names_axis(names), "range": [len(names) - 0.5, -0.5]}


def spanning(values: Iterable[float | None], *, most: float = 1.0, room: float = 0.05) -> tuple[float, float]:
    """A range that holds the finite `values` with some room, cut to 0 and `most`."""
    finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0, most]
    spare = max(room * (max(finite) - min(finite)), room * 0.2)
    return max(0.0, min(finite) - spare), min(most, max(finite) + spare)


def chart(
    traces: Sequence[Trace],
    x: dict[str, Any],
    y: dict[str, Any],
    guides: Sequence[Guide] = (),
    *,
    height: int = HEIGHT,
    **layout: Any,
) -> go.Figure:
    """The figure. A legend is shown when there is more than one name to tell."""
    named = [trace for trace in traces if trace.get("showlegend", True) and trace.get("name")]
    around = {
        "template": TEMPLATE,
        "height": height,
        "xaxis": x,
        "yaxis": y,
        "showlegend": len(named) > 1,
        "shapes": [_guide_line(guide) for guide in guides],
        "annotations": [_guide_label(guide, x, traces) for guide in guides if guide.label],
    }
    return go.Figure(list(traces), around | layout)


def _guide_line(guide: Guide) -> dict[str, Any]:
    paint_of = {"type": "line", "line": {"color": paint(guide.role)}}
    if guide.x is not None:
        return {**paint_of, "x0": guide.x, "x1": guide.x, "y0": 0, "y1": 1, "yref": "y domain"}
    if guide.y is not None:
        return {**paint_of, "x0": 0, "x1": 1, "xref": "x domain", "y0": guide.y, "y1": guide.y}
    return {**paint_of, "x0": 0, "x1": 1, "y0": 0, "y1": 1, "layer": "below"}


def _guide_label(guide: Guide, x: dict[str, Any], traces: Sequence[Trace]) -> dict[str, Any]:
    """A label where the fewest data are: bars stand at the bottom, or lie beside each other from top to bottom."""
    backed = {"text": literal(guide.label), "bgcolor": paint("surface"), "opacity": 0.85, "borderpad": 1}
    if guide.x is None:
        return {**backed, "x": 1, "xref": "x domain", "y": guide.y, "xanchor": "right", "yanchor": "bottom"}
    if any(trace.get("orientation") == "h" for trace in traces):
        return {**backed, "x": guide.x, "y": 1, "yref": "y domain", "yanchor": "bottom"}
    low, high = x["range"]
    side = "left" if (guide.x - low) / (high - low) < EDGE else "right"
    end = {"y": 1, "yanchor": "top"} if traces[0]["type"] == "bar" else {"y": 0.02, "yanchor": "bottom"}
    return {**backed, **end, "x": guide.x, "yref": "y domain", "xanchor": side}
