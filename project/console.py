"""How commands talk: data on stdout, messages on stderr, JSON when asked for; in colour on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

COLOURS = {
    "green": r"(?m)^ok\b|\b(Succeeded|SUCCEEDED|Completed|Approved|InService|live)\b",
    "bold red": r"(?m)^(Error|FAILED|PROBLEM)\b|\b(Failed|FAILED|Rejected)\b",
    "yellow": r"(?m)^warning\b|\b(Executing|Stopping|Stopped|PendingManualApproval)\b",
}
"""Words that say how something is, by the colour that a terminal shows them in (NO_COLOR: none)."""
_live: list[Any] = []
"""The terminal with a live line at its end, above which everything else is written."""
_emitted: list[str] = []
"""What is on stdout already that must stand there alone."""


def say(message: str) -> None:
    """A message for a person, on stderr."""
    _write(message, sys.stderr)


def emit(text: str) -> None:
    """A line of data, on stdout."""
    _write(_encodable(text), sys.stdout)


def emit_json(value: Any) -> None:
    """One JSON document on stdout; dates as ISO 8601. NaN and infinity are refused, since JSON has neither."""
    document = json.dumps(value, indent=2, default=str, ensure_ascii=False, allow_nan=False)
    print(_encodable(document), flush=True)
    _emitted.append("JSON")


def has_emitted_json() -> bool:
    """Whether this process has put its document on stdout."""
    return bool(_emitted)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at what is written there."""
    return stream.isatty()


@contextmanager
def terminal(stream: TextIO) -> Iterator[Any]:
    """Rich's console for a terminal; within the block all that is written goes above its live line."""
    found = _rich(stream)
    _live.append(found)
    try:
        yield found
    finally:
        _live.pop()


def _write(text: str, stream: TextIO) -> None:
    if not is_terminal(stream):
        print(text, file=stream, flush=True)
        return
    from rich.text import Text  # 50 ms, which programs that read along need not wait for

    coloured = Text(text)
    for style, pattern in COLOURS.items():
        coloured.highlight_regex(pattern, style)
    (_live[-1] if _live else _rich(stream)).print(coloured, soft_wrap=True)


def _rich(stream: TextIO) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False)


def _encodable(text: str) -> str:
    """Lone surrogates, which JSON can name and no encoding has, as JSON writes them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def table(rows: list[list[str]], header: list[str]) -> str:
    """Columns padded to their widest cell, two spaces apart, no trailing blanks."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
