"""The words about reviewed deliveries that whoever approves a version reads."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.runs import live_comparison

SECOND = {
    "version": 2,
    "images": 57,
    "accuracy": 0.842,
    "accuracy_low": 0.73,
    "accuracy_high": 0.91,
    "new": 0.912,
    "difference": 0.07,
    "difference_low": -0.01,
    "difference_high": 0.13,
}
REVIEWED = {
    "images": 60,
    "accuracy": 0.9,
    "accuracy_low": 0.8,
    "accuracy_high": 0.95,
    "neither": 0,
    "neither_routed": 0,
    "versions": [SECOND],
}


@pytest.mark.parametrize(
    ("found", "live", "said"),
    [
        (
            REVIEWED,
            2,
            "On 57 reviewed deliveries: new .912, live .842, difference +.070 (95 % interval -.010 to +.130).",
        ),
        (
            REVIEWED,
            3,
            "On 60 reviewed deliveries: new .900 (95 % interval .800 to .950); the live version answered none of them.",
        ),
        ({**REVIEWED, "neither": 1, "neither_routed": 1}, 2, "Of 1 picture of neither it would route 1."),
        ({**REVIEWED, "neither": 3}, None, "Of 3 pictures of neither it would route 0."),
        ({}, 2, ""),
        ({"images": 0, "neither": 2, "neither_routed": 0, "versions": []}, 2, ""),
    ],
)
def test_a_sentence_says_how_many_how_good_and_what_of_neither(
    found: dict[str, Any], live: int | None, said: str
) -> None:
    words = live_comparison.words(found, live)
    assert words.endswith(said) and bool(words) == bool(said)
