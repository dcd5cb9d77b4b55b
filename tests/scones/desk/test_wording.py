"""How the desk's pages word things."""

from __future__ import annotations

import pytest

from scones.desk import wording


def test_text_from_outside_stays_text() -> None:
    hostile = "![x](http://evil/)<b> `code` **bold** :material/home: $x$"
    shown = wording.plain(hostile)
    for character in "![]()<>`*:$":
        assert shown.count(character) == shown.count(f"\\{character}"), character


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (45, "45 seconds ago"), (60, "1 minute ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_ages_are_told_in_one_unit(seconds: float, words: str) -> None:
    assert wording.age(seconds) == words
