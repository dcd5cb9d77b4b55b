"""A drawing as SVG text to stand inside an HTML page whose style sheet has theme.py's variables."""

from __future__ import annotations

from html import escape

from scones.reports.charts.drawing import Area, Box, Dot, Drawing, Line, Mark, Point, Text


def svg(drawing: Drawing) -> str:
    """The `<svg>` element: it scales to the width of its place, and its texts stay texts."""
    body = "".join(_element(mark) for mark in drawing.marks)
    return (
        f'<svg viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" role="img" '
        f'aria-label="{escape(drawing.title)}" xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )


def _element(mark: Mark) -> str:
    match mark:
        case Line():
            dash = f' stroke-dasharray="{_n(mark.dash)}"' if mark.dash else ""
            return (
                f'<polyline points="{_points(mark.points)}" fill="none" stroke="var(--{mark.role})" '
                f'stroke-width="{_n(mark.width)}" stroke-linejoin="round" stroke-linecap="round"{dash}/>'
            )
        case Area():
            shape = f'<polygon points="{_points(mark.points)}" {_fill(mark.role, mark.opacity)}'
            return _tipped(shape, "polygon", mark.tip)
        case Box():
            rounded = f' rx="{_n(mark.radius)}"' if mark.radius else ""
            shape = (
                f'<rect x="{_n(mark.left)}" y="{_n(mark.top)}" width="{_n(mark.width)}" height="{_n(mark.height)}"'
                f"{rounded} {_fill(mark.role, mark.opacity)}"
            )
            return _tipped(shape, "rect", mark.tip)
        case Dot():
            x, y = mark.centre
            shape = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(mark.radius)}" {_fill(mark.role, 1.0)}'
            return _tipped(shape, "circle", mark.tip)
        case Text():
            turned = f' transform="rotate(-90 {_n(mark.x)} {_n(mark.y)})"' if mark.turned else ""
            bold = ' font-weight="600"' if mark.bold else ""
            anchor = f' text-anchor="{mark.anchor}"' if mark.anchor != "start" else ""
            return (
                f'<text x="{_n(mark.x)}" y="{_n(mark.y)}" fill="var(--{mark.role})" font-size="{_n(mark.size)}"'
                f"{anchor}{bold}{turned}>{escape(mark.text)}</text>"
            )


def _tipped(shape: str, tag: str, tip: str) -> str:
    return f"{shape}><title>{escape(tip)}</title></{tag}>" if tip else f"{shape}/>"


def _fill(role: str, opacity: float) -> str:
    transparent = f' fill-opacity="{_n(opacity)}"' if opacity < 1 else ""
    return f'fill="var(--{role})"{transparent}'


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: float) -> str:
    """At most two decimals, without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
