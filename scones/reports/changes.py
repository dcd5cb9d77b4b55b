"""What was changed about the endpoint while it answered: deployments and thresholds, as marks on time axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.runs.live_history import Deployment
from scones.reports.charts.layout import Mark
from stepfunctions.threshold import Change


def marks(deployed: Iterable[Deployment], thresholds: Sequence[Change]) -> list[Mark]:
    """By time. A threshold's first value is what it was made with, and no change.

    Args:
        thresholds: newest first, as SSM's history is read.
    """
    found = [Mark(one.when, f"version {one.version}" if one.version else "nothing live") for one in deployed]
    for before, now in zip(thresholds[1:], thresholds[:-1], strict=True):
        if now.value != before.value:
            found.append(Mark(now.when.timestamp(), f"threshold {now.value:g}"))
    return sorted(found, key=lambda mark: mark.when)
