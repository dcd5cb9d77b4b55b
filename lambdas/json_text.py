"""JSON from outside, read in one place: without what Python's own parser lets pass and nothing behind it can bear."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of a value. Whatever reads or writes one calls itself at each, and Python ends that at a thousand calls."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def parsed(text: str | bytes) -> Any:
    """The JSON value in `text`.

    Raises:
        ValueError: not JSON, or what `problem` finds in it.
    """
    try:
        value = json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    if found := problem(value):
        raise ValueError(found)
    return value


def problem(value: object) -> str:
    """Why a value that a JSON parser made cannot be written as JSON again, or nothing.

    It is a float beyond a double's range, half a character (an escaped surrogate that stands alone), or deeper than
    DEEPEST.
    """
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        inner: list[object] = []
        for item in level:
            if isinstance(item, str):
                if not item.isascii() and (half := _SURROGATE.findall(item)):
                    return f"half a character, \\u{ord(half[0]):04x}, stands alone"
            elif isinstance(item, dict):
                inner += [*item, *item.values()]
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, float) and not math.isfinite(item):
                return f"{item} is no JSON value"
        if not inner:
            return ""
        level = inner
    return f"it is nested more than {DEEPEST} levels deep"


def shown(value: object) -> str:
    """A value in a message: its beginning, if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} in it is no JSON value")
