"""Which captured pictures are least like the test set: what is behind a feature that drifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.features import BY_NAME, picture_features
from monitoring.analysis.profile import FeatureProfile
from scones.desk.data.captures import Feed
from scones.desk.data.records import Records
from scones.desk.data.runs import MonitorRun

MOST_MEASURED = 240
"""Of a window's records, at regular distance: a picture is measured in half a millisecond, and has to be fetched."""
SHOWN = 6
OF_RECORDS = {
    "confidence": "confidence",
    "low_confidence": "confidence",
    "margin": "margin",
    "entropy": "margin",
    "unfamiliarity": "unfamiliarity",
    "unfamiliar": "unfamiliarity",
}
"""Features of the answer, and the column of a record by which they are sorted: the least certain or familiar first."""


@dataclass(frozen=True)
class Unlike:
    """Some of a run's records, the least like the baseline first.

    Attributes:
        records: up to SHOWN of them.
        said: the value of the feature of each, in words.
        usual: the baseline's, in words; "" without a baseline.
        looked_at: how many were measured, `of` how many in the window.
    """

    records: Records
    said: tuple[str, ...]
    usual: str
    looked_at: int
    of: int


def of_run(records: Records, run: MonitorRun) -> Records:
    """The records that the run judged: those of its window, or for one without a window the last before it."""
    start, end = run.window
    if start is None or end is None:
        before = records[records["time"] <= run.when.timestamp()]
        chosen: Records = before[len(before) - min(run.records, len(before)) :]
    else:
        chosen = records[(records["time"] >= start.timestamp()) & (records["time"] < end.timestamp())]
    return chosen


def unlike(
    feed: Feed,
    records: Records,
    files: Sequence[str],
    classes: Sequence[str],
    name: str,
    then: FeatureProfile | None,
    drifted: FeatureProfile | None,
) -> Unlike:
    """The records whose feature `name` is farthest from the baseline `then`, on the side that `drifted` moved to.

    Without a baseline, farthest from the records' middle.

    Raises:
        SconesError: S3 refused or did not answer.
    """
    chosen = records[np.unique(np.linspace(0, len(records) - 1, min(len(records), MOST_MEASURED)).astype(np.int64))]
    values = _values(feed, chosen, files, classes, name)
    known = np.array([value is not None and value == value for value in values], bool)  # NaN is not itself
    chosen, values = chosen[known], values[known]
    if not len(chosen):
        return Unlike(chosen, (), "", 0, len(records))
    if name in OF_RECORDS:
        sign = 1 if OF_RECORDS[name] == "unfamiliarity" else -1
        rare, write = sign * values.astype(np.float64), _short
        usual = _short(_middle(then)) if then and then.count and OF_RECORDS[name] == name else ""
    elif BY_NAME[name].kind == "String":
        rare, usual, write = _rareness(values, then), _most_often(then), "{}".format
    else:
        measured = values.astype(np.float64)
        middle = _middle(then) if then and then.count else float(np.median(measured))
        moved = _middle(drifted) - middle if drifted and drifted.count else 0.0
        rare = np.sign(moved) * (measured - middle) if moved else np.abs(measured - middle)
        usual, write = _short(middle) if then and then.count else "", _short
    first = np.argsort(-rare, kind="stable")[:SHOWN]
    return Unlike(chosen[first], tuple(write(values[i]) for i in first), usual, len(chosen), len(records))


def _values(feed: Feed, records: Records, files: Sequence[str], classes: Sequence[str], name: str) -> NDArray[Any]:
    if name in OF_RECORDS:
        return np.array(records[OF_RECORDS[name]])
    if name == "predicted_class":
        return np.array([classes[one] if one >= 0 else None for one in records["predicted"]], object)
    return picture_features(feed.pictures(records, files))[0][name]


def _short(value: float) -> str:
    """Three digits, or all of a thousand and more."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _middle(then: FeatureProfile) -> float:
    return float(then.sketch.quantiles(np.array([0.5]))[0])


def _rareness(values: NDArray[Any], then: FeatureProfile | None) -> NDArray[np.float64]:
    categories = then.categories if then else {}
    return np.array([-float(categories.get(value, 0)) for value in values])


def _most_often(then: FeatureProfile | None) -> str:
    return max(then.categories, key=lambda name: then.categories[name]) if then and then.categories else ""
