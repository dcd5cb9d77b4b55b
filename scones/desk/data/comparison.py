"""A version beside the live one: what was measured of each, and whether the difference is more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scones.desk.data.versions import METRICS, Measured

LESS_IS_BETTER = {"expected_calibration_error", "log_loss"}


@dataclass(frozen=True)
class Compared:
    """One metric of a version and of the live one, each with its 95 % interval; None where it is not known.

    Attributes:
        verdict: better, worse, or that the test sets cannot tell; "" where there is nothing to compare.
    """

    name: str
    is_share: bool
    chosen: tuple[float | None, float | None, float | None]
    live: tuple[float | None, float | None, float | None]
    verdict: str


def compared(chosen: Measured, live: Measured | None) -> Iterator[Compared]:
    """Every metric that one of them has."""
    for key, (name, is_share) in METRICS.items():
        ours, theirs = _of(chosen, key), _of(live, key)
        if ours[0] is not None or theirs[0] is not None:
            yield Compared(name, is_share, ours, theirs, _verdict(ours, theirs, key in LESS_IS_BETTER))


def _of(one: Measured | None, key: str) -> tuple[float | None, float | None, float | None]:
    metrics = one.metrics if one else {}
    return metrics.get(key), metrics.get(f"{key}_low"), metrics.get(f"{key}_high")


def _verdict(
    ours: tuple[float | None, float | None, float | None],
    theirs: tuple[float | None, float | None, float | None],
    less: bool,
) -> str:
    """Intervals that overlap leave it open; a cautious rule, for both versions may share their test pictures."""
    if None in ours or None in theirs:
        return ""
    (_, low, high), (_, low_live, high_live) = ours, theirs
    if low > high_live:  # type: ignore[operator]  # none of the six is None
        return "worse" if less else "better"
    if high < low_live:  # type: ignore[operator]  # as above
        return "better" if less else "worse"
    return "no difference that the test shows"
