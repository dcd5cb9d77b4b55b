"""Pauses between looks."""

from __future__ import annotations

import time

import pytest

from project.waiting import wait_between_looks


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves only by sleeping; the pauses that were made."""
    made: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: sum(made))
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def test_pauses_grow_with_the_time_waited_up_to_the_longest(pauses: list[float]) -> None:
    for waited in wait_between_looks(longest=3.0, first=0.1, share=0.5):
        if waited > 20:
            break
    assert pauses[0] == 0.1
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3.0


def test_patience_ends_the_looking(pauses: list[float]) -> None:
    assert len(list(wait_between_looks(longest=1.0, first=1.0, patience=3.0))) == 5
    assert sum(pauses) == 4.0
