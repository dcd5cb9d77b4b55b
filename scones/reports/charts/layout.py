"""What stands around a chart's traces: axes, lines to compare with, and the figure itself.

A figure is put together as plain values and checked by Plotly once: adding part by part checks everything again each
time, which takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from scones.reports.charts.marks import Trace
from scones.reports.charts.theme import TEMPLATE, Role, paint
from scones.reports.charts.words import literal, times

HEIGHT = 320
ROW = 28
"""Pixels of a chart, and of one row of a chart that has rows."""
ROWS_MARGIN = {"l": 16, "r": 16, "t": 20, "b": 56}
"""Of a chart that has rows: their names make themselves room on the left."""
EDGE = 0.6
"""Beyond this part of the width, the label of an upright line stands on its left."""


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
