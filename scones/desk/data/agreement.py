"""Who said what of which record, and how far people agree who said something of the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitoring.measures.metrics import wilson
from monitoring.watch.labels import Given, reviewer_of

Said = Mapping[str, Mapping[str, int]]
"""Event to reviewer to the number of the class, or NEITHER."""


def said(given: Iterable[Given]) -> dict[str, dict[str, int]]:
    """What each reviewer said last of each event; `given` oldest first."""
    found: dict[str, dict[str, int]] = {}
    for one in given:
        found.setdefault(one.event, {})[reviewer_of(one.key)] = one.label
    return found


@dataclass(frozen=True)
class Agreement:
    """How far reviewers agree about the `records` that two or more have labelled.

    Attributes:
        agreed: of how many all said the same; low and high bound its share's 95 % Wilson interval.
        alpha: Krippendorff's, 1 for full agreement and 0 for what chance alone would give; None where everybody always
            said the same class, of which chance tells nothing.
        apart: events about which they disagree.
    """

    records: int
    agreed: int
    low: float
    high: float
    alpha: float | None
    reviewers: tuple[str, ...]
    apart: tuple[str, ...]


def agreement(answers: Said) -> Agreement | None:
    """None while no two people have looked at the same record."""
    shared = {event: by for event, by in answers.items() if len(by) > 1}
    if not shared:
        return None
    apart = tuple(event for event, by in shared.items() if len(set(by.values())) > 1)
    agreed = len(shared) - len(apart)
    low, high = wilson(agreed, len(shared))
    people = tuple(sorted({name for by in shared.values() for name in by}))
    return Agreement(
        len(shared), agreed, low, high, alpha([list(by.values()) for by in shared.values()]), people, apart
    )


def alpha(units: Sequence[Sequence[int]]) -> float | None:
    """Krippendorff's alpha of nominal answers, a list per record with two or more ("Computing Krippendorff's
    Alpha-Reliability", 2011): 1 - observed / expected disagreement."""
    totals = Counter(answer for unit in units for answer in unit)
    n = sum(totals.values())
    observed = sum((len(unit) ** 2 - sum(c * c for c in Counter(unit).values())) / (len(unit) - 1) for unit in units)
    expected = (n * n - sum(c * c for c in totals.values())) / (n - 1)
    return 1 - observed / expected if expected else None
