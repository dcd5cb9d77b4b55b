"""Plots whose one side is a list of names: a matrix, values with intervals, spans of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scones.reports.charts.axes import LABEL_SIZE, TICK_SIZE, Axis, whole
from scones.reports.charts.drawing import Anchor, Box, Dot, Drawing, Line, Text, text_width
from scones.reports.charts.theme import Role

ROW = 30.0


def matrix(title: str, names: Sequence[str], counts: Sequence[Sequence[int]], *, width: float = 400.0) -> Drawing:
    """A confusion matrix: rows the actual class, columns the predicted one, shaded by the share of their row."""
    k = len(names)
    names_width = min(110.0, max(text_width(name, TICK_SIZE) for name in names))
    left = 34 + names_width
    side = min((width - left - 14) / k, 92.0)
    labelled = k <= 25
    upright = labelled and any(text_width(name, TICK_SIZE) > side - 6 for name in names)
    top = 34 + (max(text_width(name, TICK_SIZE) for name in names) if upright else 16 if labelled else 0)
    drawing = Drawing(width, top + k * side + 14, title)
    left += max(0.0, (width - 14 - left - k * side) / 2)
    drawing.marks.append(Text(left + k * side / 2, 18, "predicted", size=LABEL_SIZE, anchor="middle"))
    middle = top + k * side / 2
    drawing.marks.append(
        Text(max(14.0, left - names_width - 24), middle, "actual", size=LABEL_SIZE, anchor="middle", turned=True)
    )
    for a, row in enumerate(counts):
        y = top + a * side
        if labelled:
            drawing.marks.append(Text(left - 8, y + side / 2 + 4, names[a], "ink", TICK_SIZE, "end"))
            x = left + a * side + side / 2
            where = (x + 4, top - 7) if upright else (x, top - 8)
            anchor: Anchor = "start" if upright else "middle"
            drawing.marks.append(Text(*where, names[a], "ink", TICK_SIZE, anchor, turned=upright))
        for p, count in enumerate(row):
            share = count / max(1, sum(row))
            role = "series1" if a == p else "bad"
            tip = f"{count} of {sum(row)} {names[a]} pictures were called {names[p]}"
            x = left + p * side
            gap = 1.5 if k <= 25 else 0.3
            drawing.marks.append(Box(x, y, side - gap, side - gap, "grid", 0.6, 3 if k <= 25 else 0))
            drawing.marks.append(Box(x, y, side - gap, side - gap, role, _shade(share), 3 if k <= 25 else 0, tip))
            if k <= 12:
                paint = "surface" if _shade(share) > 0.65 else "ink" if count else "muted"
                drawing.marks.append(
                    Text(x + side / 2, y + side / 2 + 5, str(count), paint, 15 if k <= 6 else 12, "middle", a == p)
                )
    return drawing


def _shade(share: float) -> float:
    """Opacity for a share: a few mistakes must still be visible beside many right answers."""
    return 0.0 if share == 0 else 0.12 + 0.83 * share**0.7


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, as one row of `intervals`."""

    name: str
    value: float
    low: float
    high: float
    role: Role = "series1"
    note: str = ""


def intervals(title: str, axis: Axis, rows: Sequence[Estimate], *, width: float = 400.0) -> Drawing:
    """A dot per row with a bar from the lower bound to the upper one; the value is written on the right."""
    names = max(text_width(row.name, 12.5) for row in rows)
    written = max(text_width(axis.write(row.value), 12.5) for row in rows)
    left, right = 14 + names + 12, width - 14 - written - 14
    drawing = Drawing(width, 12 + len(rows) * ROW + 44, title)
    bottom = 12 + len(rows) * ROW

    def x(value: float) -> float:
        return left + (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low) * (right - left)

    for tick in axis.ticks():
        drawing.marks.append(Line(((x(tick), 8), (x(tick), bottom)), "grid"))
        drawing.marks.append(Text(x(tick), bottom + 16, axis.write(tick), size=TICK_SIZE, anchor="middle"))
    drawing.marks.append(Text((left + right) / 2, bottom + 36, axis.label, size=LABEL_SIZE, anchor="middle"))
    for i, row in enumerate(rows):
        y = 12 + (i + 0.5) * ROW
        tip = f"{row.name}: {axis.write(row.value)} (95% interval {axis.write(row.low)} to {axis.write(row.high)})"
        drawing.marks.append(Text(14, y + 4, row.name, "ink", 12.5))
        drawing.marks.append(Line(((x(row.low), y), (x(row.high), y)), row.role, 2.4))
        drawing.marks += [Line(((x(end), y - 4), (x(end), y + 4)), row.role, 2) for end in (row.low, row.high)]
        drawing.marks.append(Dot((x(row.value), y), 4.6, row.role, tip + (f"; {row.note}" if row.note else "")))
        drawing.marks.append(Text(width - 14, y + 4, axis.write(row.value), "ink", 12.5, "end", True))
    return drawing


@dataclass(frozen=True)
class Span:
    """Something that lasted, as one row of `timeline`: seconds since the beginning."""

    name: str
    start: float
    end: float
    note: str
    role: Role = "series1"


def timeline(title: str, spans: Sequence[Span], *, width: float = 400.0) -> Drawing:
    """A bar per row from its start to its end, in seconds, with its note beside it."""
    total = max([span.end for span in spans] + [1e-9])
    axis = Axis("seconds since the start", 0.0, total, whole if total > 8 else lambda v: f"{v:g}")
    names = max(text_width(span.name, 12.5) for span in spans)
    notes = max(text_width(span.note, TICK_SIZE) for span in spans)
    left, right = 14 + names + 12, width - 22
    bottom = 10 + len(spans) * ROW
    drawing = Drawing(width, bottom + 44, title)

    def x(value: float) -> float:
        return left + value / axis.high * (right - left)

    for tick in axis.ticks():
        drawing.marks.append(Line(((x(tick), 8), (x(tick), bottom)), "grid"))
        drawing.marks.append(Text(x(tick), bottom + 16, axis.write(tick), size=TICK_SIZE, anchor="middle"))
    drawing.marks.append(Text((left + right) / 2, bottom + 36, axis.label, size=LABEL_SIZE, anchor="middle"))
    for i, span in enumerate(spans):
        y = 10 + i * ROW
        drawing.marks.append(Text(14, y + ROW / 2 + 4, span.name, "ink", 12.5))
        long = max(2.0, x(span.end) - x(span.start))
        drawing.marks.append(Box(x(span.start), y + 7, long, ROW - 14, span.role, 1, 3, f"{span.name}: {span.note}"))
        before, after, base = x(span.start) - 6, x(span.start) + long + 6, y + ROW / 2 + 4
        if after + notes < right + 8:
            drawing.marks.append(Text(after, base, span.note, size=TICK_SIZE))
        elif before - notes > left:
            drawing.marks.append(Text(before, base, span.note, size=TICK_SIZE, anchor="end"))
        else:
            drawing.marks.append(Text(after - 12, base, span.note, "surface", TICK_SIZE, "end"))
    return drawing
