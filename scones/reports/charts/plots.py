"""Plots with two axes: lines with bands, and bars over bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scones.reports.charts.axes import Axis, Frame, frame
from scones.reports.charts.drawing import Anchor, Area, Box, Dot, Drawing, Line, Mark, Point, Source, Text, text_width
from scones.reports.charts.theme import Role

WIDTH, HEIGHT = 400.0, 290.0
GUIDE_SIZE = 11.0


@dataclass(frozen=True)
class Series:
    """One line: points, and where known the bounds of an interval around each.

    A point whose `y` is NaN interrupts the line. `dots` marks the points (their texts are `tips`, if given); `stepped`
    holds each value until the next point.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    role: Role
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    tips: Sequence[str] = ()
    dots: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Guide:
    """A thin line that the data are compared with: upright at `x`, level at `y`, or the diagonal without either."""

    label: str
    x: float | None = None
    y: float | None = None
    role: Role = "muted"


def lines(
    title: str,
    x_axis: Axis,
    y_axis: Axis,
    series: Sequence[Series],
    guides: Sequence[Guide] = (),
    *,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Drawing:
    """One line per series, over its band; a legend when there is more than one."""
    given = {"x_axis": x_axis, "y_axis": y_axis, "series": series, "guides": guides}
    drawing = Drawing(width, height, title, source=Source("lines", given))
    named = [(one.name, one.role) for one in series if one.name]
    inside = frame(drawing, x_axis, y_axis, named if len(series) > 1 else ())
    for one in series:
        drawing.marks += _band(inside, one)
    for one in series:
        drawing.marks += _line(inside, one)
    for guide in guides:
        drawing.marks += guide_marks(inside, guide)
    return drawing


def bars(
    title: str,
    x_axis: Axis,
    y_axis: Axis,
    edges: Sequence[float],
    heights: Sequence[tuple[str, Role, Sequence[float]]],
    guides: Sequence[Guide] = (),
    *,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Drawing:
    """Bars over the bins between `edges` (one more than bins): the series (name, role, heights) side by side."""
    given = {"x_axis": x_axis, "y_axis": y_axis, "edges": edges, "heights": heights, "guides": guides}
    drawing = Drawing(width, height, title, source=Source("bars", given))
    inside = frame(drawing, x_axis, y_axis, [(name, role) for name, role, _ in heights] if len(heights) > 1 else ())
    for position, (name, role, values) in enumerate(heights):
        for i, value in enumerate(values):
            left, right = inside.x(edges[i]), inside.x(edges[i + 1])
            room = (right - left) * 0.9 / len(heights)
            at = left + (right - left) * 0.05 + position * room
            top = inside.y(min(value, y_axis.high))
            if inside.bottom - top > 0.2:
                tip = f"{name + ': ' if name else ''}{x_axis.write(edges[i]) or edges[i]} to " + (
                    f"{x_axis.write(edges[i + 1]) or edges[i + 1]}: {y_axis.write(value) or f'{value:g}'}"
                )
                drawing.marks.append(Box(at, top, room, inside.bottom - top, role, radius=1.5, tip=tip))
    for guide in guides:
        drawing.marks += guide_marks(inside, guide)
    return drawing


def _line(inside: Frame, one: Series) -> list[Mark]:
    marks: list[Mark] = []
    for run in _runs(one):
        points = tuple(_place(inside, one.x[i], one.y[i]) for i in run)
        if len(points) > 1:
            marks.append(Line(points, one.role, 2.2, 5 if one.dashed else 0))
        for i, point in zip(run, points, strict=True):
            if one.dots or len(points) == 1:
                marks.append(Dot(point, 3.4, one.role, one.tips[i] if one.tips else ""))
    return marks


def _band(inside: Frame, one: Series) -> list[Mark]:
    if not one.low:
        return []
    marks: list[Mark] = []
    for run in _runs(one):
        above = [_place(inside, one.x[i], one.high[i]) for i in run]
        below = [_place(inside, one.x[i], one.low[i]) for i in reversed(run)]
        if len(run) > 1:
            marks.append(Area((*above, *below), one.role, 0.16))
        else:
            marks.append(Line((above[0], below[0]), one.role, 2.2))
    return marks


def _runs(one: Series) -> list[list[int]]:
    """The indices of the points, cut where one is missing."""
    runs: list[list[int]] = [[]]
    for i, value in enumerate(one.y):
        if math.isnan(value):
            runs.append([])
        else:
            runs[-1].append(i)
    return [run for run in runs if run]


def _place(inside: Frame, x: float, y: float) -> Point:
    """Where a point lies; outside the axes' range, on its border."""
    low, high = inside.y_axis.low, inside.y_axis.high
    return inside.x(min(max(x, inside.x_axis.low), inside.x_axis.high)), inside.y(min(max(y, low), high))


def guide_marks(inside: Frame, guide: Guide, *, at_top: bool = False) -> list[Mark]:
    """A guide as it is painted into a frame; an upright one has its label at the foot, or with `at_top` at the top."""
    if guide.x is not None:
        x = inside.x(guide.x)
        fits = x + 5 + text_width(guide.label, GUIDE_SIZE) < inside.right
        foot = inside.top + 10 if at_top else inside.bottom - 8
        upright = Line(((x, inside.top), (x, inside.bottom)), guide.role, 1.2, 4)
        return [upright, *_legible(x + (5 if fits else -5), foot, guide.label, "start" if fits else "end")]
    if guide.y is not None:
        y = inside.y(guide.y)
        level = Line(((inside.left, y), (inside.right, y)), guide.role, 1.2, 4)
        return [level, *_legible(inside.right - 3, y - 5, guide.label, "end")]
    low = max(inside.x_axis.low, inside.y_axis.low)
    high = min(inside.x_axis.high, inside.y_axis.high)
    return [Line((_place(inside, low, low), _place(inside, high, high)), guide.role, 1.2, 4)]


def _legible(x: float, y: float, text: str, anchor: Anchor) -> list[Mark]:
    """A text on a veil, since data may lie behind it."""
    if not text:
        return []
    width = text_width(text, GUIDE_SIZE)
    left = x if anchor == "start" else x - width
    return [Box(left - 2, y - 10, width + 4, 13, "surface", 0.8, 2), Text(x, y, text, "ink", GUIDE_SIZE, anchor)]
