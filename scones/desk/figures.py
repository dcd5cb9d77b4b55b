"""Charts that answer to the pointer, made from what the reports' drawings are made from.

`of` takes a drawing of charts/ and draws the same for Plotly. Colours are those of the reports; text and grid follow
the theme of the page. A figure is put together as plain values and checked by Plotly once: adding part by part checks
everything again each time, which takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from scones.reports.charts.axes import Axis
from scones.reports.charts.clock import Clock
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.plots import Guide, Series
from scones.reports.charts.stacks import Layer, Level
from scones.reports.charts.theme import Role, Theme, colour

HEIGHT = 320
RIGHT, TOP, BOTTOM = 16, 30, 52
CHARACTER, TITLE = 7, 30
"""Pixels on the left of a chart: for each character of the longest tick, and for the axis' title."""
CONFIG = {"displayModeBar": False, "displaylogo": False}
"""For st.plotly_chart: no tool bar over the chart; zooming by dragging stays, a double click ends it."""
BAND = 0.18
"""Opacity of the area between two bounds."""
PLAIN = {"showarrow": False}
SCATTER = {"type": "scatter"}
EDGE = 0.6
"""Beyond this part of the width, the label of an upright line stands on its left."""

Trace = dict[str, Any]


def of(drawing: Drawing, theme: Theme) -> go.Figure:
    """The drawing's figure.

    Raises:
        ValueError: the drawing does not say what it was made from, or nothing here draws that.
    """
    made: dict[str, Callable[..., go.Figure]] = {"lines": lines, "bars": bars, "stacked": stacked, "levels": levels}
    if drawing.source is None or drawing.source.function not in made:
        raise ValueError(f"there is no figure for the drawing {drawing.title!r}")
    return made[drawing.source.function](theme, **drawing.source.given)


def lines(
    theme: Theme,
    x_axis: Axis,
    y_axis: Axis,
    series: Sequence[Series],
    guides: Sequence[Guide] = (),
) -> go.Figure:
    """A line per series, with its band where bounds are known; as scones.reports.charts.plots.lines."""
    traces: list[Trace] = []
    for one in series:
        x, paint = _along(x_axis, one.x), colour(one.role, theme)
        if one.low:
            band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "x": x}
            traces.append({**SCATTER, **band, "y": list(one.high)})
            fill = {"fill": "tonexty", "fillcolor": _see_through(paint, BAND)}
            traces.append({**SCATTER, **band, "y": list(one.low), **fill})
        traces.append(
            {
                **SCATTER,
                "x": x,
                "y": list(one.y),
                "name": one.name,
                "mode": "lines+markers" if one.dots or _has_single_points(one.y) else "lines",
                "marker": {"size": 6},
                "line": {"color": paint, "width": 2, "dash": "dash" if one.dashed else "solid"},
                **({"text": list(one.tips), "hovertemplate": "%{text}<extra></extra>"} if one.tips else {}),
            }
        )
    legend = len([one for one in series if one.name]) > 1
    return go.Figure(traces, _layout(x_axis, y_axis, legend) | _guides(x_axis, guides, theme))


def _has_single_points(y: Sequence[float]) -> bool:
    """Whether a point stands between two gaps: a line alone would not show it."""
    there = [False, *(not math.isnan(value) for value in y), False]
    return any(there[i] and not there[i - 1] and not there[i + 1] for i in range(1, len(there) - 1))


def bars(
    theme: Theme,
    x_axis: Axis,
    y_axis: Axis,
    edges: Sequence[float],
    heights: Sequence[tuple[str, Role, Sequence[float]]],
    guides: Sequence[Guide] = (),
) -> go.Figure:
    """Bars over the bins between `edges`; two series, one behind the other, are both seen through."""
    layout = {**_layout(x_axis, y_axis, len(heights) > 1), **_guides(x_axis, guides, theme), "barmode": "overlay"}
    return go.Figure(_bars(x_axis, edges, heights, theme, 1.0 if len(heights) == 1 else 0.62), layout)


def stacked(
    theme: Theme,
    x_axis: Axis,
    y_axis: Axis,
    edges: Sequence[float],
    layers: Sequence[Layer],
    guides: Sequence[Guide] = (),
    *,
    bin_name: Callable[[float, float], str],
) -> go.Figure:
    """The layers on each other, the first at the bottom; as scones.reports.charts.stacks.stacked."""
    heights = [(one.name, one.role, one.values) for one in layers]
    layout = {**_layout(x_axis, y_axis, len(layers) > 1), **_guides(x_axis, guides, theme), "barmode": "stack"}
    return go.Figure(_bars(x_axis, edges, heights, theme, 1.0, bin_name), layout)


def levels(theme: Theme, axis: Axis, limit: float, limit_name: str, rows: Sequence[Level]) -> go.Figure:
    """A bar per row, and the limit that none should pass; those beyond it have another colour and a mark."""
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [min(row.value, axis.high) for row in rows],
        "y": [f"{row.name} ▲" if row.beyond else row.name for row in rows],
        "marker": {"color": [colour("series2" if row.beyond else "series1", theme) for row in rows]},
        "text": [row.note for row in rows],
        "textposition": "auto",
        "insidetextfont": {"color": colour("page", theme)},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    return go.Figure(
        [trace],
        {
            **_layout(axis, Axis("", 0, 1), False, height=90 + 26 * len(rows)),
            "yaxis": {"autorange": "reversed", "automargin": True, "showgrid": False},
            "shapes": [_upright(limit, colour("muted", theme))],
            "annotations": [{"x": limit, "y": 1, "yref": "paper", "yanchor": "bottom", "text": limit_name, **PLAIN}],
        },
    )


def grouped(
    theme: Theme, names: Sequence[str], y_axis: Axis, heights: Sequence[tuple[str, Role, Sequence[float]]]
) -> go.Figure:
    """For each of `names` a bar per series, side by side."""
    traces = [
        {"type": "bar", "x": list(names), "y": list(values), "name": name, "marker": {"color": colour(role, theme)}}
        for name, role, values in heights
    ]
    layout = _layout(Axis("", 0, 1), y_axis, len(heights) > 1)
    return go.Figure(traces, {**layout, "barmode": "group", "xaxis": {"type": "category", "automargin": True}})


def points(
    theme: Theme,
    x_axis: Axis,
    y_axis: Axis,
    groups: Sequence[tuple[str, Role, str, Sequence[float], Sequence[float], Sequence[str], Sequence[Any]]],
    guides: Sequence[Guide] = (),
) -> go.Figure:
    """Points that can be chosen. A group: name, role, symbol, x, y, a text per point, and what a choice gives back."""
    traces = [
        {
            **SCATTER,
            "x": _along(x_axis, x),
            "y": list(y),
            "name": name,
            "mode": "markers",
            "marker": {"color": colour(role, theme), "symbol": symbol, "size": 7, "opacity": 0.75},
            "text": list(tips),
            "customdata": list(custom),
            "hovertemplate": "%{text}<extra></extra>",
        }
        for name, role, symbol, x, y, tips, custom in groups
    ]
    layout = _layout(x_axis, y_axis, True) | _guides(x_axis, guides, theme)
    return go.Figure(traces, {**layout, "clickmode": "event+select", "dragmode": "zoom"})


def _layout(x_axis: Axis, y_axis: Axis, legend: bool, height: int = HEIGHT) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": _left(y_axis), "r": RIGHT, "t": TOP, "b": BOTTOM},
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "title": None, "traceorder": "normal"},
        "bargap": 0.08,
        "hoverlabel": {"align": "left"},
        "xaxis": _described(x_axis, "x"),
        "yaxis": _described(y_axis, "y"),
    }


def _left(axis: Axis) -> int:
    """Room for the ticks. Plotly could find out by itself, and would draw every chart twice for that."""
    longest = max((len(axis.write(tick)) for tick in axis.ticks()), default=0)
    return CHARACTER * longest + (TITLE if axis.label else RIGHT)


def _described(axis: Axis, side: Literal["x", "y"]) -> dict[str, Any]:
    """The axis as Plotly has it. Ticks of a time are Plotly's own: they stay right when somebody zooms in."""
    common = {"title": {"text": axis.label, "standoff": 8}, "zeroline": False}
    if isinstance(axis, Clock):
        return {**common, "type": "date", "range": _along(axis, (axis.low, axis.high)), "showgrid": False}
    ticks = axis.ticks()
    written = [axis.write(tick) for tick in ticks]
    grid = {"showgrid": side == "y"}
    return {**common, **grid, "range": [axis.low, axis.high], "tickvals": ticks, "ticktext": written}


def _along(axis: Axis, values: Sequence[float]) -> list[Any]:
    """Values as Plotly takes them. Times as texts: UTC, and without a zone, or they would become the browser's."""
    if not isinstance(axis, Clock):
        return list(values)
    found: list[Any] = np.datetime_as_string((np.asarray(values) * 1000).astype("datetime64[ms]")).tolist()
    return found


def _bars(
    x_axis: Axis,
    edges: Sequence[float],
    heights: Sequence[tuple[str, Role, Sequence[float]]],
    theme: Theme,
    opacity: float,
    bin_name: Callable[[float, float], str] = lambda low, high: f"{low:.4g} to {high:.4g}",
) -> list[Trace]:
    bins = list(pairwise(edges))
    scale = 1000 if isinstance(x_axis, Clock) else 1  # a date axis measures widths in milliseconds
    common = {
        "type": "bar",
        "x": _along(x_axis, [(low + high) / 2 for low, high in bins]),
        "width": [(high - low) * scale for low, high in bins],
        "text": [bin_name(low, high) for low, high in bins],
        "textposition": "none",
        "opacity": opacity,
    }
    outline = {"color": colour("page", theme), "width": 0.5}
    return [
        {
            **common,
            "y": list(values),
            "name": name,
            "marker": {"color": colour(role, theme), "line": outline},
            "hovertemplate": "%{text}: %{y:.4~g} " + name + "<extra></extra>",
        }
        for name, role, values in heights
    ]


def _guides(x_axis: Axis, guides: Sequence[Guide], theme: Theme) -> dict[str, Any]:
    """Lines to compare with, and their labels, as a part of the layout."""
    shapes, labels = [], []
    for guide in guides:
        paint = colour(guide.role, theme)
        backed = {"text": guide.label, "bgcolor": _see_through(colour("page", theme), 0.8), "borderpad": 1, **PLAIN}
        if guide.x is not None:
            at = _along(x_axis, [guide.x])[0]
            shapes.append(_upright(at, paint))
            share = (guide.x - x_axis.low) / (x_axis.high - x_axis.low)
            side = "left" if share < EDGE else "right"
            labels.append({"x": at, "y": 1, "yref": "paper", "yanchor": "top", "xanchor": side, **backed})
        elif guide.y is not None:
            shapes.append(_line(paint, x0=0, x1=1, xref="x domain", y0=guide.y, y1=guide.y))
            labels.append({"x": 1, "xref": "paper", "y": guide.y, "xanchor": "right", "yanchor": "bottom", **backed})
    return {"shapes": shapes, "annotations": labels}


def _upright(at: Any, paint: str) -> dict[str, Any]:
    return _line(paint, x0=at, x1=at, y0=0, y1=1, yref="y domain")


def _line(paint: str, **where: Any) -> dict[str, Any]:
    return {"type": "line", "line": {"color": paint, "dash": "dash", "width": 1.5}, **where}


def _see_through(paint: str, opacity: float) -> str:
    red, green, blue = (int(paint[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
