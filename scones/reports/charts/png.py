"""A drawing as a PNG file, for slides, chats and whatever shows no SVG."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from scones.reports.charts.drawing import Area, Box, Dot, Drawing, Line, Mark, Point, Text
from scones.reports.charts.theme import Theme, colour

SCALE = 2
"""Picture points per CSS pixel in the file."""
SUPERSAMPLING = 2
"""Pillow draws hard edges: drawing larger and scaling down smooths them."""


def png(drawing: Drawing, theme: Theme = "light") -> bytes:
    """The PNG file's bytes: SCALE times the drawing's size, on the theme's surface."""
    k = SCALE * SUPERSAMPLING
    size = (round(drawing.width * k), round(drawing.height * k))
    image = Image.new("RGB", size, colour("surface", theme))
    canvas = ImageDraw.Draw(image, "RGBA")  # blends what is translucent
    for mark in drawing.marks:
        _paint(image, canvas, mark, k, theme)
    file = io.BytesIO()
    image.reduce(SUPERSAMPLING).save(file, "PNG")
    return file.getvalue()


def _paint(image: Image.Image, canvas: ImageDraw.ImageDraw, mark: Mark, k: int, theme: Theme) -> None:
    paint = colour(mark.role, theme)
    match mark:
        case Line():
            width = max(1, round(mark.width * k))
            for part in _dashes(mark.points, mark.dash):
                canvas.line([(x * k, y * k) for x, y in part], fill=paint, width=width, joint="curve")
        case Area():
            canvas.polygon([(x * k, y * k) for x, y in mark.points], fill=paint + _alpha(mark.opacity))
        case Box():
            corners = (mark.left * k, mark.top * k, (mark.left + mark.width) * k, (mark.top + mark.height) * k)
            canvas.rounded_rectangle(corners, mark.radius * k, fill=paint + _alpha(mark.opacity))
        case Dot():
            (x, y), r = mark.centre, mark.radius
            canvas.ellipse(((x - r) * k, (y - r) * k, (x + r) * k, (y + r) * k), fill=paint)
        case Text():
            _write(image, canvas, mark, k, paint)


def _write(image: Image.Image, canvas: ImageDraw.ImageDraw, mark: Text, k: int, paint: str) -> None:
    font = ImageFont.load_default(mark.size * k)
    stroke = k * mark.size / 30 if mark.bold else 0  # the one font that Pillow brings has no bold
    if not mark.turned:
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
        canvas.text((mark.x * k, mark.y * k), mark.text, fill=paint, font=font, anchor=anchor, stroke_width=stroke)
        return
    width, height = math.ceil(font.getlength(mark.text)), math.ceil(mark.size * k * 1.4)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).text((0, mark.size * k), mark.text, fill=255, font=font, anchor="ls")
    mask = mask.rotate(90, expand=True)
    start = {"start": width, "middle": width / 2, "end": 0.0}[mark.anchor]
    image.paste(paint, (round((mark.x - mark.size) * k), round(mark.y * k - start)), mask)


def _dashes(points: tuple[Point, ...], dash: float) -> Iterator[list[Point]]:
    """The line cut into dashes and gaps of that length; whole without one."""
    if not dash:
        yield list(points)
        return
    drawn = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        at = 0.0
        while at < length:
            step = min(length - at, dash - drawn % dash)
            if int(drawn // dash) % 2 == 0:
                a, b = at / length, (at + step) / length
                yield [(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)]
            at, drawn = at + max(step, 1e-6), drawn + max(step, 1e-6)


def _alpha(opacity: float) -> str:
    return f"{round(255 * opacity):02x}"
