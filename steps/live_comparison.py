"""A new model beside the versions before it, on the live test set: pictures that they answered when they were live.

What an earlier version said is taken from the captured traffic, so nothing is scored again: it is what deliveries got.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from monitoring.analysis.features import USUAL, Limits
from monitoring.measures import metrics
from steps.live_test import Entry
from steps.predictions import Predictions


def compared(entries: Sequence[Entry], said: Predictions, limits: Limits = USUAL) -> dict[str, Any]:
    """Member `reviewed` of evaluation.json.

    Takes the entries of the live test set and, in their order, what the new model says of them. `versions`
    has an entry for each version that answered some of the pictures: its accuracy on those, the new model's (`new`),
    and `difference` (new less old) with its 95 % interval. `neither_routed`: of the pictures of neither class, how
    many would meet both limits, for confidence and for unfamiliarity.
    """
    neither = np.array([entry["label"] is None for entry in entries], np.bool_)
    labels = np.array([-1 if entry["label"] is None else entry["label"] for entry in entries], np.int64)
    right = said.probabilities.argmax(axis=1) == labels
    routed = (said.probabilities.max(axis=1) >= limits.confidence) & ~(said.unfamiliarity > limits.unfamiliarity)
    vehicles = int(np.count_nonzero(~neither))
    numbers = sorted({int(version) for entry in entries for version in entry["answers"]}, reverse=True)
    versions = [_beside(number, entries, labels, right) for number in numbers]
    return {
        "images": vehicles,
        **metrics.proportion("accuracy", int(np.count_nonzero(right & ~neither)), vehicles),
        "neither": int(np.count_nonzero(neither)),
        "neither_routed": int(np.count_nonzero(routed & neither)),
        "versions": [one for one in versions if one["images"]],
    }


def flat(reviewed: dict[str, Any]) -> dict[str, float]:
    """What of it stands among the flat metrics: nothing without pictures."""
    if not reviewed["images"]:
        return {}
    return {f"reviewed_{name}": reviewed[name] for name in ("accuracy", "accuracy_low", "accuracy_high")}


def _beside(
    number: int, entries: Sequence[Entry], labels: metrics.Integers, right: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Any]:
    rows = [row for row, entry in enumerate(entries) if str(number) in entry["answers"] and labels[row] >= 0]
    then = np.array([np.argmax(entries[row]["answers"][str(number)]) == labels[row] for row in rows], np.bool_)
    now = right[rows]
    gained, lost = int(np.count_nonzero(now & ~then)), int(np.count_nonzero(then & ~now))
    return {
        "version": number,
        "images": len(rows),
        **metrics.proportion("accuracy", int(np.count_nonzero(then)), len(rows)),
        **metrics.proportion("new", int(np.count_nonzero(now)), len(rows)),
        **metrics.paired_difference("difference", gained, lost, len(rows)),
    }
