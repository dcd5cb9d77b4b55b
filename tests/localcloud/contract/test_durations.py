"""ISO 8601 durations, and the loose forms of step caching."""

from __future__ import annotations

from datetime import timedelta

import pytest

from localcloud.contract import durations


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P30D", timedelta(days=30)),
        ("p30d", timedelta(days=30)),
        ("PT12H", timedelta(hours=12)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", timedelta(weeks=2)),
        ("P1M", timedelta(days=30)),
        ("P1Y", timedelta(days=365)),
        ("30d", timedelta(days=30)),
        ("T12H", timedelta(hours=12)),
        ("5m", timedelta(minutes=5)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert durations.parse_loosely(text) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "P30", "soon", "P-1D", "P1.5D", "1d2h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.parse_loosely(text)


@pytest.mark.parametrize("text", [f"P{10**12}D", f"{10**20}w", f"PT{10**30}S"])
def test_what_is_longer_than_any_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than any duration can be"):
        durations.parse_loosely(text)


@pytest.mark.parametrize("text", ["30d", "T12H", "30 days"])
def test_loose_forms_are_no_iso_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["P1M", "P1Y2D"])
def test_months_and_years_have_no_exact_length(text: str) -> None:
    assert durations.parse(text)
    with pytest.raises(ValueError, match="is not a duration"):
        durations.parse(text, exact=True)
