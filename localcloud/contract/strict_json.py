"""JSON as the service reads it: without the NaN and infinities that Python's own parser lets pass."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


def loads(text: str | bytes) -> Any:
    """The JSON value in `text`.

    Raises:
        ValueError: not JSON (RFC 8259 has no NaN and no Infinity), or a number beyond the range of a double.
    """
    return json.loads(text, parse_constant=_refused, parse_float=_finite)


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is out of range")
    return value
