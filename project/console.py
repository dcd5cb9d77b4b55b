"""How commands talk: data on stdout, messages on stderr, JSON when asked for; in colour on a terminal."""

from __future__ import annotations

import json
import re
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

_CODES = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters but tab and line feed, line ends that are none to a terminal, marks of direction, surrogates."""
_STEERING = re.compile(f"[{_CODES}]")
_STEERING_OR_LINE_END = re.compile(f"[{_CODES}\t\n]")


def say(message: str) -> None:
    """A message for a person, on stderr."""
    _write(message, sys.stderr)


def emit(text: str) -> None:
    """A line of data, on stdout."""
    _write(text, sys.stdout)


def emit_json(value: Any) -> None:
    """One JSON document on stdout; dates as ISO 8601. NaN and infinity are refused, since JSON has neither."""
    document = json.dumps(value, indent=2, default=str, ensure_ascii=False, allow_nan=False)
    print(printable(document), flush=True)
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
    text = printable(text)
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


def printable(text: str, *, line_ends: bool = True) -> str:
    """What would steer the terminal, or turn the text around, as JSON writes it: keys and messages are other people's.

    So are lone surrogates, which JSON can name and no encoding has.
    """
    form = _STEERING if line_ends else _STEERING_OR_LINE_END
    return form.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def table(rows: list[list[str]], header: list[str]) -> str:
    """Columns padded to their widest cell, two spaces apart, no trailing blanks."""
    lines = [[printable(cell, line_ends=False) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
