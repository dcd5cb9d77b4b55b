"""What another confidence threshold would do to real traffic: how many would pass, and how right they would be.

Everything is sorted and counted once; after that a threshold costs two binary searches, however many records there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.metrics import wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What one threshold does: how many of `records` pass, and how many of the `labelled` ones among those are right.

    Attributes:
        accuracy, low, high: of passing labelled records with their 95 % Wilson interval; None without any.
    """

    threshold: float
    records: int
    passing: int
    labelled: int
    accuracy: float | None
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        return self.passing / self.records if self.records else None


@dataclass(frozen=True)
class SortedTraffic:
    """Confidence of n records and of the m labelled ones among them, both ascending.

    Attributes:
        right: how many of the labelled records from each place on are right, int (m + 1,); the last is 0.
    """

    confidence: Floats
    labelled: Floats
    right: NDArray[np.int64]

    def effect(self, threshold: float) -> Effect:
        """What `threshold` does; as in the filter, exactly the threshold passes."""
        passing = len(self.confidence) - int(np.searchsorted(self.confidence, threshold, side="left"))
        place = int(np.searchsorted(self.labelled, threshold, side="left"))
        labelled, right = len(self.labelled) - place, int(self.right[place])
        accuracy, (low, high) = (right / labelled, wilson(right, labelled)) if labelled else (None, (None, None))
        return Effect(threshold, len(self.confidence), passing, labelled, accuracy, low, high)


def traffic(confidence: Floats, labelled: Floats, correct: NDArray[np.bool_]) -> SortedTraffic:
    """Sort and count: confidence float (n,) of all records, float (m,) of the labelled ones, whether each is right."""
    order = np.argsort(labelled)
    from_here = np.append(np.cumsum(correct[order][::-1])[::-1], 0)
    return SortedTraffic(np.sort(confidence), labelled[order], from_here)
