"""Numbers beside their limits: written so that rounding never contradicts what is said of them."""

from __future__ import annotations

from typing import Literal

MOST_DIGITS = 17
"""With so many significant digits two floats that differ are written differently."""


def apart(value: float, limit: float, digits: int, style: Literal["f", "g", "%"] = "f") -> tuple[str, str]:
    """Both as text, with `digits` as Python's format takes them, or with as many more as it takes to tell them apart.

    "1.0 times what is allowed" does not stand beside a violation then: 1.04 does. Numbers that are equal stay equal.
    """
    while True:
        texts = f"{value:.{digits}{style}}", f"{limit:.{digits}{style}}"
        if value == limit or texts[0] != texts[1] or digits >= MOST_DIGITS:
            return texts
        digits += 1


def beside(value: float, limit: float, digits: int, style: Literal["f", "g", "%"] = "f") -> str:
    """The first of `apart`, where the limit is written by other means and exactly, as settings are."""
    return apart(value, limit, digits, style)[0]
