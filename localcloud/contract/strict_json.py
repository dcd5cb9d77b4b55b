"""JSON as the service reads it: without what Python's own parser lets pass and nothing behind it can bear."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any, NoReturn

DEEPEST = 100
"""Levels of a document. SageMaker's requests have 14 at most, and a definition with nested conditions twice that; what
reads documents calls itself for every level, and Python ends that at a thousand calls."""
_DOUBLE_DIGITS = sys.float_info.max_10_exp
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(text: str | bytes) -> Any:
    """The JSON value in `text`.

    Raises:
        ValueError: not JSON (RFC 8259 has no NaN and no Infinity), a number beyond the range of a double, half a
            character (an escaped surrogate that stands alone), or deeper than DEEPEST.
    """
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    _check(value)
    return value


def _check(value: Any) -> None:
    """Refuse depth and surrogates, without calling itself."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if not item.isascii() and (found := _SURROGATE.search(item)):
                    raise ValueError(f"half a character, \\u{ord(found[0]):04x}, stands alone")
            elif isinstance(item, dict):
                inner.extend(item)
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return
        level = inner
    raise ValueError(f"it is nested more than {DEEPEST} levels deep")


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _whole(text: str) -> int:
    if len(text) >= _DOUBLE_DIGITS:
        _finite(text)
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is out of range")
    return value
