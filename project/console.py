"""How commands talk: data on stdout, messages on stderr, JSON when asked for."""

from __future__ import annotations

import json
import sys
from typing import Any

_emitted: list[str] = []
"""What is on stdout already that must stand there alone."""


def say(message: str) -> None:
    """A message for a person, on stderr."""
    print(message, file=sys.stderr, flush=True)


def emit(text: str) -> None:
    """A line of data, on stdout."""
    print(_encodable(text), flush=True)


def emit_json(value: Any) -> None:
    """One JSON document on stdout; dates as ISO 8601. NaN and infinity are refused, since JSON has neither."""
    emit(json.dumps(value, indent=2, default=str, ensure_ascii=False, allow_nan=False))
    _emitted.append("JSON")


def has_emitted_json() -> bool:
    """Whether this process has put its document on stdout."""
    return bool(_emitted)


def _encodable(text: str) -> str:
    """Lone surrogates, which JSON can name and no encoding has, as JSON writes them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def table(rows: list[list[str]], header: list[str]) -> str:
    """Columns padded to their widest cell, two spaces apart, no trailing blanks."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
