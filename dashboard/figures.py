"""Charts that answer to the pointer, made from what the reports' drawings are made from.

`of` takes a drawing of charts/ and draws the same for Plotly. Colours are those of the reports; text and grid follow
the theme of the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

import plotly.graph_objects as go

from charts.axes import Axis
from charts.clock import Clock
from charts.drawing import Drawing
from charts.plots import Guide, Series
from charts.stacks import Layer, Level
from charts.theme import Role, Theme, colour

HEIGHT = 320
MARGIN = {"l": 8, "r": 8, "t": 30, "b": 8}
CONFIG = {"displayModeBar": False, "displaylogo": False, "responsive": True}
"""For st.plotly_chart: no tool bar over the chart; zooming by dragging stays, a double click ends it."""
BAND = 0.18
"""Opacity of the area between two bounds."""
EDGE = 0.6
"""Beyond this part of the width, the label of an upright line stands on its left."""


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
    """A line per series, with its band where bounds are known; as charts.plots.lines."""
    figure = _figure(x_axis, y_axis, len([one for one in series if one.name]) > 1)
    for one in series:
        x, paint = _along(x_axis, one.x), colour(one.role, theme)
        if one.low:
            band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            figure.add_scatter(x=x, y=list(one.high), **band)
            figure.add_scatter(x=x, y=list(one.low), fill="tonexty", fillcolor=_see_through(paint, BAND), **band)
        figure.add_scatter(
            x=x,
            y=list(one.y),
            name=one.name,
            mode="lines+markers" if one.dots or _has_single_points(one.y) else "lines",
            marker={"size": 6},
            line={"color": paint, "width": 2, "dash": "dash" if one.dashed else "solid"},
            text=list(one.tips) or None,
            hovertemplate="%{text}<extra></extra>" if one.tips else None,
        )
    _guides(figure, x_axis, guides, theme)
    return figure


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
    figure = _figure(x_axis, y_axis, len(heights) > 1)
    _bars(figure, x_axis, edges, heights, theme, 1.0 if len(heights) == 1 else 0.62)
    figure.update_layout(barmode="overlay")
    _guides(figure, x_axis, guides, theme)
    return figure


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
    """The layers on each other, the first at the bottom; as charts.stacks.stacked."""
    figure = _figure(x_axis, y_axis, len(layers) > 1)
    _bars(figure, x_axis, edges, [(one.name, one.role, one.values) for one in layers], theme, 1.0, bin_name)
    figure.update_layout(barmode="stack")
    _guides(figure, x_axis, guides, theme)
    return figure


def levels(theme: Theme, axis: Axis, limit: float, limit_name: str, rows: Sequence[Level]) -> go.Figure:
    """A bar per row, and the limit that none should pass; those beyond it have another colour and a mark."""
    figure = _figure(axis, Axis("", 0, 1), False, height=90 + 26 * len(rows))
    figure.add_bar(
        orientation="h",
        x=[min(row.value, axis.high) for row in rows],
        y=[f"{row.name} ▲" if row.beyond else row.name for row in rows],
        marker={"color": [colour("series2" if row.beyond else "series1", theme) for row in rows]},
        text=[row.note for row in rows],
        textposition="auto",
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.add_vline(x=limit, line={"color": colour("muted", theme), "dash": "dash", "width": 1.5})
    figure.add_annotation(x=limit, y=1, yref="paper", yanchor="bottom", text=limit_name, showarrow=False)
    figure.update_yaxes(autorange="reversed", title="", tickmode="auto", range=None, showgrid=False)
    return figure


def grouped(
    theme: Theme, names: Sequence[str], y_axis: Axis, heights: Sequence[tuple[str, Role, Sequence[float]]]
) -> go.Figure:
    """For each of `names` a bar per series, side by side."""
    figure = _figure(Axis("", 0, 1), y_axis, len(heights) > 1)
    for name, role, values in heights:
        figure.add_bar(x=list(names), y=list(values), name=name, marker={"color": colour(role, theme)})
    figure.update_layout(barmode="group")
    figure.update_xaxes(type="category", range=None, tickvals=None, ticktext=None, tickmode="auto", title="")
    return figure


def points(
    theme: Theme,
    x_axis: Axis,
    y_axis: Axis,
    groups: Sequence[tuple[str, Role, str, Sequence[float], Sequence[float], Sequence[str], Sequence[Any]]],
    guides: Sequence[Guide] = (),
) -> go.Figure:
    """Points that can be chosen. A group: name, role, symbol, x, y, a text per point, and what a choice gives back."""
    figure = _figure(x_axis, y_axis, True)
    for name, role, symbol, x, y, tips, custom in groups:
        figure.add_scatter(
            x=_along(x_axis, x),
            y=list(y),
            name=name,
            mode="markers",
            marker={"color": colour(role, theme), "symbol": symbol, "size": 7, "opacity": 0.75},
            text=list(tips),
            customdata=list(custom),
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_layout(clickmode="event+select", dragmode="zoom")
    _guides(figure, x_axis, guides, theme)
    return figure


def _figure(x_axis: Axis, y_axis: Axis, legend: bool, height: int = HEIGHT) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin=MARGIN,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "title": None},
        bargap=0.08,
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(**_described(x_axis, "x"))
    figure.update_yaxes(**_described(y_axis, "y"))
    return figure


def _described(axis: Axis, side: Literal["x", "y"]) -> dict[str, Any]:
    """The axis as Plotly has it. Ticks of a time are Plotly's own: they stay right when somebody zooms in."""
    common = {"title": {"text": axis.label, "standoff": 14}, "automargin": True, "zeroline": False}
    if isinstance(axis, Clock):
        return {**common, "type": "date", "range": [_moment(axis.low), _moment(axis.high)], "showgrid": False}
    ticks = axis.ticks()
    written = [axis.write(tick) for tick in ticks]
    grid = {"showgrid": side == "y"}
    return {**common, **grid, "range": [axis.low, axis.high], "tickvals": ticks, "ticktext": written}


def _along(axis: Axis, values: Sequence[float]) -> list[Any]:
    return [_moment(value) for value in values] if isinstance(axis, Clock) else list(values)


def _moment(value: float) -> datetime:
    """UTC, and without its zone: Plotly would turn a time with one into the browser's."""
    return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)


def _bars(
    figure: go.Figure,
    x_axis: Axis,
    edges: Sequence[float],
    heights: Sequence[tuple[str, Role, Sequence[float]]],
    theme: Theme,
    opacity: float,
    bin_name: Callable[[float, float], str] = lambda low, high: f"{low:.4g} to {high:.4g}",
) -> None:
    bins = list(pairwise(edges))
    scale = 1000 if isinstance(x_axis, Clock) else 1  # a date axis measures widths in milliseconds
    for name, role, values in heights:
        figure.add_bar(
            x=_along(x_axis, [(low + high) / 2 for low, high in bins]),
            y=list(values),
            width=[(high - low) * scale for low, high in bins],
            name=name,
            marker={"color": colour(role, theme), "line": {"color": colour("page", theme), "width": 0.5}},
            opacity=opacity,
            text=[bin_name(low, high) for low, high in bins],
            textposition="none",
            hovertemplate="%{text}: %{y:.4~g} " + name + "<extra></extra>",
        )


def _guides(figure: go.Figure, x_axis: Axis, guides: Sequence[Guide], theme: Theme) -> None:
    for guide in guides:
        line = {"color": colour(guide.role, theme), "dash": "dash", "width": 1.5}
        if guide.x is not None:
            at = _along(x_axis, [guide.x])[0]
            figure.add_vline(x=at, line=line)
            share = (guide.x - x_axis.low) / (x_axis.high - x_axis.low)
            figure.add_annotation(
                x=at,
                y=1,
                yref="paper",
                yanchor="top",
                xanchor="left" if share < EDGE else "right",
                text=guide.label,
                showarrow=False,
                bgcolor=_see_through(colour("page", theme), 0.8),
                borderpad=1,
            )
        elif guide.y is not None:
            figure.add_hline(y=guide.y, line=line)
            figure.add_annotation(
                x=1,
                xref="paper",
                y=guide.y,
                xanchor="right",
                yanchor="bottom",
                text=guide.label,
                showarrow=False,
                bgcolor=_see_through(colour("page", theme), 0.8),
                borderpad=1,
            )


def _see_through(paint: str, opacity: float) -> str:
    red, green, blue = (int(paint[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
