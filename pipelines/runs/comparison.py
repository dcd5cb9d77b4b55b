"""A version beside another one: what was measured of each, and whether the difference is more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.measures.intervals import difference
from pipelines.runs.versions import METRICS, Measured

LESS_IS_BETTER = {"expected_calibration_error", "log_loss"}
UNDECIDED = "no difference that the test shows"


@dataclass(frozen=True)
class Compared:
    """One metric of a version and of the live one, each with its 95 % interval; None where it is not known.

    Attributes:
        difference: how much more the version has, with its 95 % interval; None where there is nothing to compare.
        verdict: better, worse, or that the test sets cannot tell; "" where there is nothing to compare.
    """

    name: str
    is_share: bool
    chosen: tuple[float | None, float | None, float | None]
    live: tuple[float | None, float | None, float | None]
    difference: tuple[float, float, float] | None
    verdict: str


def compared(chosen: Measured, live: Measured | None) -> Iterator[Compared]:
    """Every metric that one of them has."""
    for key, (name, is_share) in METRICS.items():
        ours, theirs = _of(chosen, key), _of(live, key)
        if ours[0] is not None or theirs[0] is not None:
            gap = _difference(ours, theirs)
            yield Compared(name, is_share, ours, theirs, gap, _verdict(gap, key in LESS_IS_BETTER))


def _of(one: Measured | None, key: str) -> tuple[float | None, float | None, float | None]:
    metrics = one.metrics if one else {}
    return metrics.get(key), metrics.get(f"{key}_low"), metrics.get(f"{key}_high")


def _difference(
    ours: tuple[float | None, float | None, float | None], theirs: tuple[float | None, float | None, float | None]
) -> tuple[float, float, float] | None:
    value, low, high = ours
    other, other_low, other_high = theirs
    if value is None or low is None or high is None or other is None or other_low is None or other_high is None:
        return None
    return difference((value, low, high), (other, other_low, other_high))


def _verdict(gap: tuple[float, float, float] | None, less: bool) -> str:
    """An interval that holds 0 leaves it open; a cautious rule where both versions share their test pictures."""
    if gap is None:
        return ""
    _, low, high = gap
    if low > 0:
        return "worse" if less else "better"
    if high < 0:
        return "better" if less else "worse"
    return UNDECIDED
