"""Numbers beside their limits: written so that rounding never contradicts what is said of them.

As monitoring/measures/rounding.py, of which nothing is packed with the functions.
"""

from __future__ import annotations

from typing import Literal

MOST_DIGITS = 17
"""With so many significant digits two numbers that differ are written differently."""


def beside(value: float, other: float, digits: int, style: Literal["f", "%"] = "f") -> str:
    """`value` as text, with `digits` decimals or as many more as it takes not to read like `other`, its limit."""
    while value != other and digits < MOST_DIGITS and f"{value:.{digits}{style}}" == f"{other:.{digits}{style}}":
        digits += 1
    return f"{value:.{digits}{style}}"
