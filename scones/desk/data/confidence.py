"""Captured records as the charts of monitoring/ take them, counts by class, and which records to draw one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.features import Limits
from monitoring.watch.history import History
from scones.desk.data.records import Records


def history(records: Records, classes: tuple[str, ...], threshold: float) -> History:
    """What the charts of confidence need of the records. Picture features are the monitor's to measure."""
    return History(
        time=records["time"].astype(np.float64),
        confidence=records["confidence"],
        unfamiliarity=records["unfamiliarity"],
        predicted=records["predicted"].astype(np.int64),
        classes=classes,
        measured={},
        pictures=0,
        limits=Limits(confidence=threshold),
    )


def counted(records: Records, threshold: float, classes: Sequence[str]) -> list[tuple[str, int, int]]:
    """For each class: its name, records called that at or above the threshold, and below it."""
    under = records["confidence"] < threshold
    return [
        (name, int(np.count_nonzero(~under & of_it)), int(np.count_nonzero(under & of_it)))
        for name, of_it in ((name, records["predicted"] == number) for number, name in enumerate(classes))
    ]


def sample(records: Records, threshold: float, most: int = 600) -> NDArray[np.int64]:
    """Rows to draw as points, ascending: the least certain half, and the others at regular distance."""
    if len(records) <= most:
        return np.arange(len(records))
    below = np.flatnonzero(records["confidence"] < threshold)
    if len(below) > most // 2:
        below = below[np.argpartition(records["confidence"][below], most // 2)[: most // 2]]
    others = np.ones(len(records), bool)
    others[below] = False
    rest = np.flatnonzero(others)
    regular = rest[np.linspace(0, len(rest) - 1, most - len(below)).astype(np.int64)]
    return np.union1d(below, regular)
