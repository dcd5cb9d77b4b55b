"""Bars in layers over bins, and bars against a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scones.reports.charts.axes import LABEL_SIZE, TICK_SIZE, Axis, frame
from scones.reports.charts.drawing import Box, Drawing, Line, Source, Text, text_width
from scones.reports.charts.plots import HEIGHT, WIDTH, Guide, guide_marks
from scones.reports.charts.theme import Role

ROW = 26.0


@dataclass(frozen=True)
class Layer:
    """One part of every bar: as many values as there are bins."""

    name: str
    role: Role
    values: Sequence[float]


def stacked(
    title: str,
    x_axis: Axis,
    y_axis: Axis,
    edges: Sequence[float],
    layers: Sequence[Layer],
    guides: Sequence[Guide] = (),
    *,
    bin_name: Callable[[float, float], str],
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Drawing:
    """The layers on each other, the first at the bottom. `bin_name` says what a bin is, where the pointer rests."""
    given = {
        "x_axis": x_axis,
        "y_axis": y_axis,
        "edges": edges,
        "layers": layers,
        "guides": guides,
        "bin_name": bin_name,
    }
    drawing = Drawing(width, height, title, source=Source("stacked", given))
    inside = frame(drawing, x_axis, y_axis, [(layer.name, layer.role) for layer in layers] if len(layers) > 1 else ())
    for b in range(len(edges) - 1):
        left, right = inside.x(edges[b]), inside.x(edges[b + 1])
        gap = min(1.5, 0.15 * (right - left))
        below = 0.0
        for layer in layers:
            value = layer.values[b]
            bottom, top = inside.y(below), inside.y(below + value)
            below += value
            if bottom - top > 0.05:
                tip = f"{bin_name(edges[b], edges[b + 1])}: {layer.name} {y_axis.write(value) or f'{value:g}'}"
                drawing.marks.append(Box(left + gap / 2, top, right - left - gap, bottom - top, layer.role, tip=tip))
    for guide in guides:
        drawing.marks += guide_marks(inside, guide, at_top=True)  # bars stand at the bottom
    return drawing


@dataclass(frozen=True)
class Level:
    """One row of `levels`: its value on the axis, the same in words, and whether it is beyond the limit."""

    name: str
    value: float
    note: str
    beyond: bool


def levels(
    title: str, axis: Axis, limit: float, limit_name: str, rows: Sequence[Level], *, width: float = 560.0
) -> Drawing:
    """A bar per row, and the limit that none should pass. Those beyond it are told by colour and by their bold text."""
    names = max((text_width(row.name, 12.5 + row.beyond) for row in rows), default=0)  # bold is wider
    notes = max((text_width(row.note, 12 + row.beyond) for row in rows), default=0)
    left, right = 14 + names + 12, width - 14 - notes - 12
    bottom = 26 + len(rows) * ROW
    given = {"axis": axis, "limit": limit, "limit_name": limit_name, "rows": rows}
    drawing = Drawing(width, bottom + 44, title, source=Source("levels", given))

    def x(value: float) -> float:
        return left + (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low) * (right - left)

    for tick in axis.ticks():
        drawing.marks.append(Line(((x(tick), 22), (x(tick), bottom)), "grid"))
        drawing.marks.append(Text(x(tick), bottom + 16, axis.write(tick), size=TICK_SIZE, anchor="middle"))
    drawing.marks.append(Text((left + right) / 2, bottom + 36, axis.label, size=LABEL_SIZE, anchor="middle"))
    for i, row in enumerate(rows):
        y = 26 + i * ROW
        role = "series2" if row.beyond else "series1"
        long = max(1.5, x(row.value) - left)
        drawing.marks.append(Text(14, y + ROW / 2 + 4, row.name, "ink", 12.5, bold=row.beyond))
        drawing.marks.append(Box(left, y + 5, long, ROW - 10, role, 1, 3, f"{row.name}: {row.note}"))
        drawing.marks.append(Text(width - 14, y + ROW / 2 + 4, row.note, "ink", 12, "end", row.beyond))
    drawing.marks.append(Line(((x(limit), 18), (x(limit), bottom)), "ink", 1.4, 4))
    drawing.marks.append(Text(x(limit), 13, limit_name, "ink", 11, "middle"))
    return drawing
