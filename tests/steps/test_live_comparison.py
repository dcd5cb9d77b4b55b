"""A new model beside the versions before it, on pictures that they answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitoring.analysis.features import Limits
from monitoring.measures.metrics import paired_difference
from steps.live_comparison import compared, flat
from steps.predictions import Predictions


def entry(label: int | None, **answers: int) -> dict[str, Any]:
    """A picture, and what each version called it: `v1=0`."""
    said = {name[1:]: [1.0, 0.0] if answer == 0 else [0.0, 1.0] for name, answer in answers.items()}
    return {"file": "x.png", "label": label, "answers": said}


ENTRIES = [entry(0, v1=0), entry(0, v1=1), entry(1, v1=1, v2=1), entry(1, v2=0), entry(None, v1=0), entry(1)]
NEW = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9], [0.95, 0.05], [0.2, 0.8]])


def test_each_version_is_compared_on_the_pictures_that_it_answered() -> None:
    found = compared(ENTRIES, Predictions(NEW, np.full(len(NEW), np.nan)), Limits())
    assert (found["images"], found["accuracy"]) == (5, 0.8)
    second, first = found["versions"]
    assert (first["version"], first["images"], first["accuracy"], first["new"]) == (1, 3, 2 / 3, 2 / 3)
    assert first["difference"] == 0 and first["difference_low"] < 0 < first["difference_high"]
    assert (second["version"], second["images"], second["accuracy"], second["new"]) == (2, 2, 0.5, 0.5)
    assert flat(found) == {f"reviewed_{name}": found[name] for name in ("accuracy", "accuracy_low", "accuracy_high")}


@pytest.mark.parametrize(("unfamiliarity", "routed"), [(np.nan, 1), (0.2, 1), (0.96, 0)])
def test_of_pictures_of_neither_is_told_how_many_it_would_route(unfamiliarity: float, routed: int) -> None:
    said = Predictions(np.array([[0.95, 0.05], [0.6, 0.4]]), np.array([unfamiliarity, 0.0]))
    found = compared([entry(None, v1=0), entry(None)], said, Limits(0.93, 0.95))
    assert (found["images"], found["neither"], found["neither_routed"], found["versions"]) == (0, 2, routed, [])
    assert flat(found) == {}, "nothing that a gate could read"


@pytest.mark.parametrize("n", [1, 5, 60, 1000])
def test_the_interval_holds_the_difference_and_narrows_with_pictures(n: int) -> None:
    for gained, lost in ((n, 0), (0, n), (n // 2, n // 4), (0, 0)):
        found = paired_difference("d", gained, lost, n)
        low, value, high = found["d_low"], found["d"], found["d_high"]
        assert low is not None and value is not None and high is not None
        assert -1 <= low <= value <= high <= 1
    assert paired_difference("d", 0, 0, 0)["d"] is None


def test_bonett_and_prices_interval() -> None:
    """By hand: 15 gained and 5 lost of 100; (16 - 6) / 102, and its standard error."""
    found = paired_difference("d", 15, 5, 100)
    centre, spread = 10 / 102, 1.959964 * ((22 / 102 - (10 / 102) ** 2) / 102) ** 0.5
    assert (found["d_low"], found["d_high"]) == pytest.approx((centre - spread, centre + spread), abs=1e-6)
    assert found["d"] == 0.1
