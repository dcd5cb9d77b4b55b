"""Traffic over time: what charts, the report and the dashboard draw, gathered once and aggregated before drawing."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.features import MEASURED, MISSING, PRESENT, Floats, Limits
from monitoring.analysis.traffic import Batch

BINS = 48
"""Stretches of time that a chart shows: few enough to read on a phone."""
LEAST = 60.0
"""Seconds that a chart shows at least."""
FEWEST = 16
"""Records that a stretch of time with traffic has on average at least: below that, lines show chance."""
DOUBTFUL = 24
"""How many of the least confident records, and of the most unfamiliar, are kept by place, for their pictures."""


@dataclass(frozen=True)
class Doubtful:
    """A record that a person should look at. `unfamiliarity` is NaN where the model did not say it."""

    confidence: float
    unfamiliarity: float
    predicted: str
    time: float
    event_id: str
    place: str


@dataclass(frozen=True)
class History:
    """n records in the order of time.

    Attributes:
        time: seconds since 1970, float (n,).
        confidence: float (n,), NaN without an answer.
        predicted: number of the class in `classes`, int (n,), -1 without an answer.
        measured: picture features, name to float (n,), NaN without a picture.
        unfamiliarity: float (n,), NaN where the model did not say it.
        lowest: the least confident records, least first.
        strangest: records that are unfamiliar, the most unfamiliar first.
    """

    time: Floats
    confidence: Floats
    unfamiliarity: Floats
    predicted: NDArray[np.int64]
    classes: tuple[str, ...]
    measured: dict[str, Floats]
    pictures: int
    limits: Limits
    lowest: tuple[Doubtful, ...] = ()
    strangest: tuple[Doubtful, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    @property
    def threshold(self) -> float:
        """The confidence below which a picture is not routed."""
        return self.limits.confidence

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which records have an answer, bool (n,)."""
        return np.isfinite(self.confidence)

    @property
    def low(self) -> NDArray[np.bool_]:
        """Which records are below the threshold, bool (n,)."""
        return self.answered & (self.confidence < self.threshold)

    def low_share(self) -> float:
        """The share of answers below the threshold; 0 without answers."""
        return float(self.low.sum() / max(1, self.answered.sum()))

    def unfamiliar_share(self) -> float | None:
        """The share of answers that find their picture unfamiliar, of those that say; None if none does."""
        said = self.unfamiliarity[np.isfinite(self.unfamiliarity)]
        return float((said > self.limits.unfamiliarity).mean()) if len(said) else None


def gather(batches: Iterable[Batch], classes: tuple[str, ...], limits: Limits) -> History:
    """Read all of `batches`. Memory: about 70 bytes a record."""
    times, confidences, strange, predictions = [], [], [], []
    measured: dict[str, list[NDArray[np.float32]]] = {name: [] for name in MEASURED}
    names = {name: number for number, name in enumerate(classes)}
    pictures = 0
    lowest: list[tuple[float, str, Doubtful]] = []
    strangest: list[tuple[float, str, Doubtful]] = []
    for batch in batches:
        values, n = batch.columns.values, len(batch)
        times.append(batch.time.astype(np.int64).astype(np.float64))
        confidences.append(values["confidence"])
        strange.append(values["unfamiliarity"])
        predictions.append(np.array([_number(name, names) for name in values["predicted_class"]], np.int64))
        for name, parts in measured.items():
            parts.append(np.asarray(values.get(name, np.full(n, np.nan)), np.float32))
        pictures += int(np.count_nonzero(batch.columns.states["picture"] == PRESENT))
        _keep(lowest, batch, -values["confidence"])
        _keep(strangest, batch, np.where(values["unfamiliar"] == 1, values["unfamiliarity"], np.nan))
    order = np.argsort(np.concatenate(times), kind="stable") if times else np.empty(0, np.int64)

    def ordered(parts: list[Any]) -> NDArray[Any]:
        return np.concatenate(parts)[order] if parts else np.empty(0)

    return History(
        time=ordered(times),
        confidence=ordered(confidences),
        unfamiliarity=ordered(strange),
        predicted=ordered(predictions).astype(np.int64),
        classes=tuple(names),
        measured={name: ordered(parts).astype(np.float64) for name, parts in measured.items()},
        pictures=pictures,
        limits=limits,
        lowest=_most_doubtful_first(lowest),
        strangest=_most_doubtful_first(strangest),
    )


def _number(name: str | None, names: dict[str, int]) -> int:
    return -1 if name is None else names.setdefault(name, len(names))


def _keep(heap: list[tuple[float, str, Doubtful]], batch: Batch, doubt: Floats) -> None:
    """Keep the DOUBTFUL records of greatest `doubt`, float (n,), NaN for those that are not doubtful at all."""
    values = batch.columns.values
    shown = np.flatnonzero(np.isfinite(doubt) & (batch.columns.states["picture"] != MISSING))
    for row in shown[np.argsort(-doubt[shown], kind="stable")][:DOUBTFUL]:
        if len(heap) == DOUBTFUL and doubt[row] <= heap[0][0]:
            break  # the others of this batch are less doubtful still
        one = Doubtful(
            float(values["confidence"][row]),
            float(values["unfamiliarity"][row]),
            str(values["predicted_class"][row]),
            float(batch.time[row].astype(np.int64)),
            str(batch.event_id[row]),
            str(batch.place[row]),
        )
        (heapq.heappushpop if len(heap) == DOUBTFUL else heapq.heappush)(heap, (float(doubt[row]), one.place, one))


def _most_doubtful_first(heap: list[tuple[float, str, Doubtful]]) -> tuple[Doubtful, ...]:
    return tuple(one for _, _, one in sorted(heap, key=lambda item: (-item[0], item[1])))


@dataclass(frozen=True)
class Stretches:
    """Equal stretches of time: `edges` in seconds since 1970, float (b + 1,); `place` of each record, int (n,)."""

    edges: Floats
    place: NDArray[np.int64]

    @property
    def middles(self) -> Floats:
        """The middle of each stretch, float (b,)."""
        middles: Floats = (self.edges[1:] + self.edges[:-1]) / 2
        return middles

    def counts(self, chosen: NDArray[np.bool_]) -> Floats:
        """How many of the `chosen` records lie in each stretch, float (b,)."""
        return np.bincount(self.place[chosen], minlength=len(self.edges) - 1).astype(np.float64)

    def quantiles(self, values: Floats, shares: tuple[float, ...], chosen: NDArray[np.bool_] | None = None) -> Floats:
        """Quantiles of finite `values` in each stretch, float (len(shares), b); NaN where there is none."""
        use = np.isfinite(values) if chosen is None else np.isfinite(values) & chosen
        found = np.full((len(shares), len(self.edges) - 1), np.nan)
        order = np.argsort(self.place[use], kind="stable")
        places, sorted_values = self.place[use][order], values[use][order]
        bounds = np.searchsorted(places, np.arange(len(self.edges)))
        for b in range(len(self.edges) - 1):
            part = sorted_values[bounds[b] : bounds[b + 1]]
            if len(part):
                found[:, b] = np.quantile(part, shares)
        return found


def stretches(time: Floats, most: int = BINS) -> Stretches:
    """Cut the time of n records, in seconds since 1970, into at most `most` equal stretches of at least a second."""
    if not len(time):
        return Stretches(np.array([0.0, 1.0]), np.empty(0, np.int64))
    low, high = float(time.min()), float(time.max()) + 1.0
    if high - low < LEAST:
        low, high = (low + high - LEAST) / 2, (low + high + LEAST) / 2
    edges = _edges(np.sort(time), low, high, int(max(1, min(most, high - low))))
    number = len(edges) - 1
    place = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, number - 1)
    return Stretches(edges, place.astype(np.int64))


def _edges(time: Floats, low: float, high: float, most: int) -> Floats:
    """As many stretches as leave FEWEST records in those that have any: an hour without traffic makes no hour wider."""
    for number in range(most, 1, -1):
        edges = np.linspace(low, high, number + 1)
        occupied = np.count_nonzero(np.diff(np.searchsorted(time, edges)))
        if len(time) >= FEWEST * occupied:
            return edges
    return np.array([low, high])
