"""Charts: legible in both themes, whole, and without anything that a reader's browser would have to fetch."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from PIL import Image

from scones.reports.charts import page, plots, tables
from scones.reports.charts.axes import Axis, percent, spanning, whole
from scones.reports.charts.drawing import Area, Box, Dot, Drawing, Line, Text, text_width
from scones.reports.charts.plots import Guide, Series
from scones.reports.charts.png import SCALE, png
from scones.reports.charts.svg import svg
from scones.reports.charts.tables import Estimate, Span
from scones.reports.charts.theme import COLOURS, Theme, colour, series

UNIT = Axis("share", 0, 1, percent)
CLASSES = ["bicycle", "bus", "motorcycle", "pickup_truck", "train"]


def lines(names: int = 2) -> Drawing:
    x = [0.1, 0.5, 0.9]
    drawn = [
        Series(f"a rather long name {i}", x, [0.2, 0.5, 0.6], series(i), [0.1] * 3, [0.7] * 3, dots=True)
        for i in range(names)
    ]
    return plots.lines("lines", UNIT, UNIT, drawn, [Guide("here", x=0.95), Guide("level", y=0.3), Guide("")])


def every_plot() -> dict[str, Drawing]:
    counts = [[20 if a == p else a for p in range(5)] for a in range(5)]
    return {
        "lines": lines(),
        "many lines": lines(7),
        "bars": plots.bars("bars", UNIT, Axis("n", 0, 10, whole), [0, 0.5, 1], [("", "series1", [3.0, 99.0])]),
        "matrix of two": tables.matrix("matrix", CLASSES[:2], [[5, 0], [1, 4]]),
        "matrix of five": tables.matrix("matrix", CLASSES, counts),
        "matrix of a hundred": tables.matrix("matrix", [f"class_{i}" for i in range(100)], [[1] * 100] * 100),
        "intervals": tables.intervals("i", UNIT, [Estimate("bicycle", 0.9, 0.0, 1.0), Estimate("bus", 1.0, 1.0, 1.0)]),
        "timeline": tables.timeline("t", [Span("A", 0, 0, "0.0 s"), Span("BuildManifests", 0, 31.4, "31.4 s")]),
    }


@pytest.mark.parametrize("name", every_plot())
def test_nothing_is_drawn_outside_of_the_drawing(name: str) -> None:
    drawing = every_plot()[name]
    for left, top, right, bottom in extents(drawing):
        assert left >= -1 and right <= drawing.width + 1, (left, right, drawing.width)
        assert top >= -1 and bottom <= drawing.height + 1


def extents(drawing: Drawing) -> Iterator[tuple[float, float, float, float]]:
    for mark in drawing.marks:
        match mark:
            case Line() | Area():
                xs, ys = [p[0] for p in mark.points], [p[1] for p in mark.points]
                yield min(xs), min(ys), max(xs), max(ys)
            case Box():
                yield mark.left, mark.top, mark.left + mark.width, mark.top + mark.height
            case Dot():
                yield mark.centre[0], mark.centre[1], *mark.centre
            case Text():
                width = text_width(mark.text, mark.size) / 1.1
                before = {"start": 0, "middle": width / 2, "end": width}[mark.anchor]
                if mark.turned:
                    yield mark.x - mark.size, mark.y - width + before, mark.x, mark.y + before
                else:
                    yield mark.x - before, mark.y - mark.size, mark.x - before + width, mark.y


@pytest.mark.parametrize("name", every_plot())
def test_an_svg_is_well_formed_and_takes_its_colours_from_the_theme(name: str) -> None:
    text = svg(every_plot()[name])
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and root.attrib["aria-label"]
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', text)) <= {"none", *(f"var(--{role})" for role in COLOURS)}


@pytest.mark.parametrize("name", every_plot())
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_png_has_the_size_and_the_surface_of_its_theme(name: str, theme: Theme) -> None:
    drawing = every_plot()[name]
    image = Image.open(io.BytesIO(png(drawing, theme)))
    assert image.size == pytest.approx((drawing.width * SCALE, drawing.height * SCALE), abs=1)
    assert "#{:02x}{:02x}{:02x}".format(*image.getpixel((0, 0))) == colour("surface", theme)
    assert len(image.getcolors(1 << 20) or []) > 20, "something is drawn"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", [role for role in COLOURS if role not in {"page", "surface", "line", "grid"}])
def test_text_can_be_read_on_its_surface(role: str, theme: Theme) -> None:
    text, surface = luminance(colour(role, theme)), luminance(colour("surface", theme))
    least = 3 if role.startswith("series") else 4.5  # lines and large marks; texts (WCAG 2.1, 1.4.11 and 1.4.3)
    assert (max(text, surface) + 0.05) / (min(text, surface) + 0.05) >= least


def luminance(colour_: str) -> float:
    parts = [int(colour_[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (1, 30, [5, 10, 15, 20, 25, 30]), (0.82, 0.97, [0.825, 0.85, 0.875, 0.9])],
)
def test_ticks_are_round_numbers_inside_the_range(low: float, high: float, ticks: list[float]) -> None:
    assert Axis("", low, high).ticks()[: len(ticks)] == ticks


def test_a_missing_value_interrupts_a_line() -> None:
    gap = Series("", [0, 1, 2, 3, 4], [0.1, 0.2, math.nan, 0.4, 0.5], "series1")
    drawing = plots.lines("t", Axis("", 0, 4), UNIT, [gap])
    assert sum(isinstance(mark, Line) and mark.role == "series1" for mark in drawing.marks) == 2


def test_a_range_of_equal_or_of_no_values_is_not_empty() -> None:
    for values in ([0.5, 0.5], [], [math.nan], [1.0], [0.0]):
        low, high = spanning(values)
        assert 0 <= low < high <= 1


def test_names_are_escaped() -> None:
    text = svg(tables.matrix("<&>", ["<b>", '"'], [[1, 0], [0, 1]]))
    ElementTree.fromstring(text)
    assert "<b>" not in text
    whole_page = page.page("<script>", "", [page.section("<i>", intro="<u>")])
    assert "<script>" not in whole_page and "<i>" not in whole_page and "<u>" not in whole_page


def test_a_note_of_a_long_step_does_not_cover_the_names() -> None:
    drawing = tables.timeline("t", [Span("BuildManifests", 0, 100, "100.0 s"), Span("Train", 100, 101, "1.0 s")])
    texts = {mark.text: mark for mark in drawing.marks if isinstance(mark, Text)}
    names_end = 14 + text_width("BuildManifests", 12.5)
    assert texts["100.0 s"].x - text_width("100.0 s", 12) > names_end
    assert texts["1.0 s"].x - text_width("1.0 s", 12) > names_end
