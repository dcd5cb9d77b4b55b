"""What stands around a chart's traces: axes, lines to compare with, and the figure itself.

A figure is put together as plain values and checked by Plotly once: adding part by part checks everything again each
time, which takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import plotly.graph_objects as go

from scones.reports.charts.marks import Trace
from scones.reports.charts.theme import ANNOTATION, LAYOUT, SHAPE, Role, filled, paint, untemplated
from scones.reports.charts.words import literal, times, zone

HEIGHT = 320
ROW = 28
"""Pixels of a chart, and of one row of a chart that has rows."""
ROWS_MARGIN = {"l": 16, "r": 16, "t": 20, "b": 56}
"""Of a chart that has rows: their names make themselves room on the left."""
TIME_TICKS = 4
"""About as many times as stand beside each other on a phone."""
MINUTE, DAY = 60_000, 86_400_000
TIME_FORMATS = [
    {"dtickrange": [None, MINUTE - 1], "value": "%H:%M:%S\n%-d %b"},
    {"dtickrange": [MINUTE, DAY - 1], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [DAY, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", None], "value": "%b\n%Y"},
]
"""How a tick is written by how far it is from the next, in milliseconds; what is behind \\n only where it changes."""
CLOSE = 0.05
"""Marks that are closer than this part of the width share a label: labels stand upright along their lines."""
MOST_NAMED = 3
"""Changes that one label of a mark names."""
EDGE = 0.6
"""Beyond this part of the width, the label of an upright line stands on its left."""


@dataclass(frozen=True)
class Guide:
    """A thin line that the data are compared with: upright at `x`, level at `y`, or the diagonal without either."""

    label: str = ""
    x: float | None = None
    y: float | None = None
    role: Role = "muted"


@dataclass(frozen=True)
class Mark:
    """Something that happened at `when`, seconds since 1970: an upright line on a time axis that shows that moment."""

    when: float
    label: str


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
    """A time axis, in the charts' zone, from seconds since 1970; one moment alone gets a minute around it."""
    if high - low < 1:
        low, high = low - 30, high + 30
    title = {"text": f"time, {literal(str(zone()))}", "standoff": 4}
    around = {"title": title, "type": "date", "range": times([low, high])}
    return {**around, "tickangle": 0, "nticks": TIME_TICKS, "tickformatstops": TIME_FORMATS, "tickfont": {"size": 11}}


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
    marks: Sequence[Mark] = (),
    height: int = HEIGHT,
    **layout: Any,
) -> go.Figure:
    """The figure. A legend is shown when there is more than one name to tell."""
    named = [trace for trace in traces if trace.get("showlegend", True) and trace.get("name")]
    around: dict[str, Any] = {
        "height": height,
        "xaxis": x,
        "yaxis": y,
        "showlegend": len(named) > 1,
        "shapes": [*(_guide_line(guide) for guide in guides), *(_mark_line(mark) for mark in _shown(marks, x))],
        "annotations": [
            *_mark_labels(_shown(marks, x), x),
            *(_guide_label(guide, x, traces) for guide in guides if guide.label),
        ],
    } | layout
    for parts, usual in (("shapes", SHAPE), ("annotations", ANNOTATION)):
        around[parts] = [filled(one, usual) for one in around[parts]]
    return untemplated(go.Figure(list(traces), filled(around, LAYOUT)))


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


def _shown(marks: Sequence[Mark], x: dict[str, Any]) -> list[Mark]:
    low, high = _seconds(x) if marks else (0.0, 0.0)
    return [mark for mark in marks if low <= mark.when <= high]


def _mark_line(mark: Mark) -> dict[str, Any]:
    [at] = times([mark.when])
    drawn = {"color": paint("muted"), "width": 1, "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "y domain", "line": drawn}


def _mark_labels(marks: Sequence[Mark], x: dict[str, Any]) -> list[dict[str, Any]]:
    """A label for each mark, or for several that stand together."""
    if not marks:
        return []
    low, high = _seconds(x)
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and mark.when - groups[-1][0].when < CLOSE * (high - low):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [_mark_label(group, (group[0].when - low) / (high - low)) for group in groups]


def _mark_label(group: Sequence[Mark], place: float) -> dict[str, Any]:
    labels = [mark.label for mark in group[-MOST_NAMED:]]
    words = f"{len(group)} changes, last {labels[-1]}" if len(group) > MOST_NAMED else ", ".join(labels)
    [at] = times([group[0].when])
    side = "left" if place < CLOSE else "right"
    written = {"text": literal(words), "textangle": -90, "font": {"size": 11, "color": paint("muted")}}
    return {**written, "x": at, "y": 1, "yref": "y domain", "xanchor": side, "yanchor": "top"}


def _seconds(x: dict[str, Any]) -> tuple[float, float]:
    """The bounds of a time axis, in seconds since 1970."""
    low, high = (datetime.fromisoformat(edge).replace(tzinfo=zone()).timestamp() for edge in x["range"])
    return low, high
