"""Axes: which ticks, how they are written, and where a value lies on the drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scones.reports.charts.drawing import Box, Drawing, Line, Text, text_width

TICK_SIZE = 12.0
LABEL_SIZE = 12.5
LEGEND_SIZE = 12.0


@dataclass(frozen=True)
class Axis:
    """What an axis shows: its label, its range (`low` < `high`) and how a tick is written."""

    label: str
    low: float
    high: float
    write: Callable[[float], str] = lambda value: f"{value:g}"
    most_ticks: int = 6

    def ticks(self) -> list[float]:
        """Round numbers inside the range: steps of 1, 2, 2.5 or 5 times a power of ten."""
        rough = (self.high - self.low) / max(1, self.most_ticks)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


def percent(value: float) -> str:
    """0.875 as `87.5%`, 0.9 as `90%`."""
    return f"{100 * value:.4g}%"


def whole(value: float) -> str:
    """A whole number; nothing for a tick between two."""
    return f"{value:.0f}" if float(value).is_integer() else ""


def spanning(
    values: Sequence[float], *, least: float = 0.0, most: float = 1.0, room: float = 0.05
) -> tuple[float, float]:
    """A range that holds the finite `values` with some room, cut to `least` and `most`."""
    finite = [value for value in values if math.isfinite(value)] or [least, most]
    spare = max(room * (max(finite) - min(finite)), room * 0.2)
    return max(least, min(finite) - spare), min(most, max(finite) + spare)


@dataclass(frozen=True)
class Frame:
    """The part of a drawing inside the axes."""

    left: float
    top: float
    right: float
    bottom: float
    x_axis: Axis
    y_axis: Axis

    def x(self, value: float) -> float:
        share = (value - self.x_axis.low) / (self.x_axis.high - self.x_axis.low)
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.y_axis.low) / (self.y_axis.high - self.y_axis.low)
        return self.bottom - share * (self.bottom - self.top)


def frame(drawing: Drawing, x_axis: Axis, y_axis: Axis, legend: Sequence[tuple[str, str]] = ()) -> Frame:
    """Draw legend (name and role each), grid, ticks and labels; what is left inside is the frame."""
    top = _legend(drawing, legend) + (12 if legend else 14)
    y_texts = [y_axis.write(tick) for tick in y_axis.ticks()]
    left = 26 + max((text_width(text, TICK_SIZE) for text in y_texts), default=0)
    inside = Frame(left, top, drawing.width - 24, drawing.height - 44, x_axis, y_axis)
    for tick, text in zip(y_axis.ticks(), y_texts, strict=True):
        y = inside.y(tick)
        drawing.marks.append(Line(((inside.left, y), (inside.right, y)), "grid"))
        drawing.marks.append(Text(inside.left - 7, y + 4, text, size=TICK_SIZE, anchor="end"))
    drawing.marks.append(Line(((inside.left, inside.bottom), (inside.right, inside.bottom)), "line"))
    for tick in x_axis.ticks():
        if text := x_axis.write(tick):
            x = inside.x(tick)
            drawing.marks.append(Line(((x, inside.bottom), (x, inside.bottom + 4)), "line"))
            drawing.marks.append(Text(x, inside.bottom + 18, text, size=TICK_SIZE, anchor="middle"))
    middle = (inside.left + inside.right) / 2
    drawing.marks.append(Text(middle, drawing.height - 8, x_axis.label, size=LABEL_SIZE, anchor="middle"))
    height = (inside.top + inside.bottom) / 2
    drawing.marks.append(Text(13, height, y_axis.label, size=LABEL_SIZE, anchor="middle", turned=True))
    return inside


def _legend(drawing: Drawing, entries: Sequence[tuple[str, str]]) -> float:
    """Rows of names with their colours; the height that they take."""
    x, y = 14.0, 18.0
    for name, role in entries:
        needed = 18 + text_width(name, LEGEND_SIZE) + 14
        if x > 14 and x + needed > drawing.width:
            x, y = 14.0, y + 18
        drawing.marks.append(Box(x, y - 9, 11, 11, role, radius=3))
        drawing.marks.append(Text(x + 17, y + 1, name, role="ink", size=LEGEND_SIZE))
        x += needed
    return y + 2 if entries else 0.0
