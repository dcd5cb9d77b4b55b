"""What commands print: somebody else's text neither steers the terminal nor breaks an encoding."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as drawn

from project.console import emit, emit_json, printable, say, table

ANY_TEXT = drawn.text(drawn.characters(categories=None), max_size=60)
ALLOWED = {"\n", "\t"}


@budget(max_examples=300, derandomize=True, database=None)
@given(ANY_TEXT)
def test_no_text_steers_the_terminal(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in ALLOWED]
    assert not [c for c in shown if unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "PDI"}]
    assert all(c in shown for c in text if c.isprintable())


@budget(max_examples=200, derandomize=True, database=None)
@given(ANY_TEXT)
def test_json_stays_the_same_value(text: str) -> None:
    assert json.loads(printable(json.dumps({"key": text}, ensure_ascii=False))) == {"key": text}


def test_a_cell_stays_in_its_line_and_column() -> None:
    rows = table([["a\nb\x1b[2J", "x"]], ["KEY", "Y"]).splitlines()
    assert rows == ["KEY                Y", "a\\u000ab\\u001b[2J  x"]


@pytest.mark.parametrize("write", [say, emit, lambda text: emit_json({"key": text})])
def test_every_way_to_print_is_harmless(write: Any, capfd: pytest.CaptureFixture[str]) -> None:
    write("in/\x1b]0;title\x07\u202e\ud800.png")
    printed = "".join(capfd.readouterr())
    assert "\\u001b]0;title\\u0007\\u202e\\ud800.png" in printed and "\x1b" not in printed
