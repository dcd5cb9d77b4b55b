"""A version beside another one: what was measured of each, and whether the difference is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitoring.measures.intervals import Bounded, difference
from pipelines.runs.versions import METRICS

LESS_IS_BETTER = {"expected_calibration_error", "log_loss"}
Known = tuple[float | None, float | None, float | None]
"""A value with the bounds of its interval, each None where it was not measured."""
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
    chosen: Known
    live: Known
    difference: Bounded | None
    verdict: str


def compared(chosen: Mapping[str, float], live: Mapping[str, float]) -> Iterator[Compared]:
    """Every metric of METRICS that one of them has, given `metrics` of both evaluations."""
    for key, (name, is_share) in METRICS.items():
        ours, theirs = _of(chosen, key), _of(live, key)
        if ours[0] is not None or theirs[0] is not None:
            gap = _difference(ours, theirs)
            yield Compared(name, is_share, ours, theirs, gap, _verdict(gap, key in LESS_IS_BETTER))


def _of(metrics: Mapping[str, float], key: str) -> Known:
    return metrics.get(key), metrics.get(f"{key}_low"), metrics.get(f"{key}_high")


def _difference(ours: Known, theirs: Known) -> Bounded | None:
    value, low, high = ours
    other, other_low, other_high = theirs
    if value is None or low is None or high is None or other is None or other_low is None or other_high is None:
        return None
    return difference((value, low, high), (other, other_low, other_high))


def _verdict(gap: Bounded | None, less: bool) -> str:
    """An interval that holds 0 leaves it open; a cautious rule where both versions share their test pictures."""
    if gap is None:
        return ""
    _, low, high = gap
    if low > 0:
        return "worse" if less else "better"
    if high < 0:
        return "better" if less else "worse"
    return UNDECIDED
