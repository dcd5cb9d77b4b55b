"""A drawing: marks on a surface, in units of CSS pixels with the origin in the upper left corner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from PIL import ImageFont

from scones.reports.charts.theme import Role

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Line:
    """A line through points; `dash` is the length of dashes and of the gaps between them, 0 for none."""

    points: tuple[Point, ...]
    role: Role
    width: float = 1.0
    dash: float = 0.0


@dataclass(frozen=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    role: Role
    opacity: float = 1.0
    tip: str = ""


@dataclass(frozen=True)
class Box:
    """A filled rectangle with corners of `radius`; `tip` is shown where the pointer rests."""

    left: float
    top: float
    width: float
    height: float
    role: Role
    opacity: float = 1.0
    radius: float = 0.0
    tip: str = ""


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    centre: Point
    radius: float
    role: Role
    tip: str = ""


@dataclass(frozen=True)
class Text:
    """One line of text whose baseline is at `y`; `turned` runs it upwards."""

    x: float
    y: float
    text: str
    role: Role = "muted"
    size: float = 12.0
    anchor: Anchor = "start"
    bold: bool = False
    turned: bool = False


Mark = Line | Area | Box | Dot | Text


@dataclass(frozen=True)
class Source:
    """What a drawing was made from: the function that drew it, and what it was given.

    Whoever has a canvas of his own, such as a page that answers to the pointer, draws the same from the same.
    """

    function: str
    given: Mapping[str, Any]


@dataclass
class Drawing:
    """Marks in the order in which they are painted. `title` says in words what a reader who cannot see it misses."""

    width: float
    height: float
    title: str
    marks: list[Mark] = field(default_factory=list)
    source: Source | None = None


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(100)


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in pixels: browsers take the reader's own sans-serif font, so a tenth is added."""
    return 1.1 * _font().getlength(text) * size / 100
