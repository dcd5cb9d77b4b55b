"""How wide text is at most in the fonts that browsers take, near enough to break it: it is drawn elsewhere."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

NARROW, WIDE = frozenset("iIlj.,:;'|!()[]tfr -/\\"), frozenset("mwMW@%&\N{HORIZONTAL ELLIPSIS}")
MOST_LINES = 2
PIECE = re.compile(r"[^\s_\-/.]*[\s_\-/.]+|[A-Z]*[^A-Z\s_\-/.]+|[A-Z]+")
"""Where a name may be broken: after a separator, and before a capital."""


def width(text: str, size: float) -> float:
    """Pixels that `text` takes at a font's size in pixels."""
    return size * sum(map(_share, text))


def _share(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.0
    if letter in NARROW:
        return 0.39
    if letter in WIDE:
        return 0.97
    return 0.74 if letter.isupper() else 0.65


def wrapped(text: str, most: float, size: float) -> list[str]:
    """`text` in one or two lines of at most `most` pixels; what is too long loses its middle."""
    text = " ".join(text.split())
    lines = _broken(text, most, size)
    kept = len(text)
    while len(lines) > MOST_LINES:
        kept -= 1
        first = (kept + 1) // 2
        end = text[len(text) - (kept - first) :] if kept > first else ""
        lines = _broken(f"{text[:first]}\N{HORIZONTAL ELLIPSIS}{end}", most, size)
    return lines


def _broken(text: str, most: float, size: float) -> list[str]:
    lines = [""]
    for piece in PIECE.findall(text) or [""]:
        if lines[-1] and width(lines[-1] + piece.rstrip(), size) > most:
            lines.append("")
        for letter in piece:
            if lines[-1] and width(lines[-1] + letter, size) > most and letter != " ":
                lines.append("")
            lines[-1] += letter
    return [line.strip() for line in lines]
