"""Functions, jobs and the local cloud are packed apart, and read JSON from outside alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas import json_text as of_functions
from localcloud.contract import strict_json
from project import json_text

READERS = [json_text.parsed, of_functions.parsed, strict_json.loads]
pytestmark = pytest.mark.parametrize("read", READERS, ids=["project", "lambdas", "localcloud"])
Read = Callable[[str | bytes], Any]


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "[Infinity]", "1e400", "1" + "0" * 5000),
        *('"\\ud800"', '{"\\udc00": 1}', b'"\xed\xa0\x80"', b"\xff"),
        *("[" * 102 + "]" * 102, "[" * 100_000 + "]" * 100_000, "", "[1,]", "\ufeff1"),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_nothing_behind_can_bear_is_refused(read: Read, text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1" + "0" * 308, -(10**308)),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("1e-400", 0.0),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        (b"\xef\xbb\xbf[true]", [True]),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_the_rest_is_read(read: Read, text: str | bytes, value: object) -> None:
    assert read(text) == value
    assert read("[" * 100 + "1" + "]" * 100)
