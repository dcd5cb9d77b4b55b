"""Which pictures a person should look at, and what the answers say about the model on live traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.ground_truth import NEITHER
from monitoring.measures.metrics import wilson
from scones.desk.data.records import Records

Order = Literal["least certain", "at random", "second look", "wrong"]
"""`second look`: what others have labelled and this reviewer has not. `wrong`: the model said something else than the
label does."""
UNLABELLED = -2
SMOKE = b"smoke/"
"""How the inference id of a smoke test begins: the deploy workflow's own picture, not traffic."""


def labels_of(records: Records, labels: Mapping[str, int]) -> NDArray[np.int64]:
    """For each record its label, NEITHER, or UNLABELLED; int (n,). An inference id counts before an event id."""
    found = np.full(len(records), UNLABELLED)
    if not labels or not len(records):
        return found
    names = np.array([name.encode("utf-8", "replace") for name in labels], records.dtype["event"])
    values = np.fromiter(labels.values(), np.int64, len(labels))
    order = np.argsort(names)
    names, values = names[order], values[order]
    for column in ("event", "inference"):
        rows = np.flatnonzero(np.isin(_beginnings(records[column]), _beginnings(names)))
        said = records[column][rows]
        place = np.minimum(np.searchsorted(names, said), len(names) - 1)
        hit = (names[place] == said) & (said != b"")
        found[rows[hit]] = values[place[hit]]
    return found


def _beginnings(names: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """The first eight bytes of each as a number: a tenth of the time tells most names apart."""
    return names.astype("S8").view(np.uint64)


def queue(
    records: Records,
    labels: Mapping[str, int],
    order: Order,
    most: int,
    *,
    mine: Mapping[str, int] | None = None,
    limit: float = 1.0,
) -> NDArray[np.int64]:
    """Rows of answered `records` to look at next, at most `most`, in this order.

    By turns with the least certain come the most unfamiliar ones, of which the model may be sure. The draw at random is
    by a digest of the event id: the same for everybody, and it does not change as traffic comes in. A second look
    begins with the answers that the label contradicts; what is wrong, with the most confident answer.

    Args:
        labels: what counts.
        mine: what this reviewer has said, for a second look.
        limit: above it a picture is unfamiliar.
    """
    given = labels_of(records, labels)
    smoke = records["inference"].astype(f"S{len(SMOKE)}") == SMOKE
    if order == "wrong":
        waiting = np.flatnonzero((given >= 0) & (given != records["predicted"]) & ~smoke)
        return _first(waiting, -records["confidence"][waiting], most)
    if order == "second look":
        by_others = (given != UNLABELLED) & (labels_of(records, mine or {}) == UNLABELLED)
        waiting = np.flatnonzero(by_others & ~smoke)
        agrees = given[waiting] == records["predicted"][waiting]
        return _first(waiting, agrees + _draw(records, waiting) / 2**32, most)
    waiting = np.flatnonzero((given == UNLABELLED) & ~smoke)
    if order == "at random":
        return _first(waiting, _draw(records, waiting), most)
    strange = waiting[records["unfamiliarity"][waiting] > limit]
    unsure = _first(waiting, records["margin"][waiting], most)
    strange = _first(strange, -records["unfamiliarity"][strange], most)
    by_turns = chain.from_iterable(zip_longest(unsure.tolist(), strange.tolist()))
    return np.array([row for row in dict.fromkeys(by_turns) if row is not None][:most], np.int64)


def _first(rows: NDArray[np.int64], rank: NDArray[Any], most: int) -> NDArray[np.int64]:
    """At most `most` of `rows`, by their `rank`."""
    if len(rows) > most:
        first = np.argpartition(rank, most)[:most]
        rows, rank = rows[first], rank[first]
    return rows[np.argsort(rank, kind="stable")]


def _draw(records: Records, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([crc32(event) for event in records["event"][rows].tolist()], np.int64)


def same_pictures(
    records: Records, rows: Sequence[int], content: Callable[[int], bytes | None], most: int
) -> list[list[int]]:
    """`rows` in groups of one picture each, at most `most` groups, in the order in which they begin.

    A model answers one picture in one way, so only records with one answer can show the same; of those `content` tells,
    which is given a row and answers with the picture, or None for one that cannot be had.
    """
    answers = [(int(r["predicted"]), float(r["confidence"]), float(r["margin"])) for r in records[list(rows)]]
    often = Counter(answers)
    groups: dict[object, list[int]] = {}
    for row, answer in zip(rows, answers, strict=True):
        picture = content(row) if often[answer] > 1 else None
        shows = row if picture is None else (answer, picture)
        if shows in groups or len(groups) < most:
            groups.setdefault(shows, []).append(row)
    return list(groups.values())


@dataclass(frozen=True)
class LiveAccuracy:
    """What the labels say. `low` and `high` bound the accuracy's 95 % Wilson interval.

    Attributes:
        weighted: accuracy over all traffic, each tenth of confidence weighted by its share of it; None while a
            tenth that holds a hundredth of the traffic or more has no label.
    """

    labelled: int
    right: int
    neither: int
    low: float
    high: float
    weighted: float | None

    @property
    def accuracy(self) -> float:
        return self.right / self.labelled


def live_accuracy(records: Records, labels: Mapping[str, int]) -> LiveAccuracy | None:
    """Labels joined with answered records; None without any."""
    given = labels_of(records, labels)
    known = given >= 0
    if not known.any():
        return None
    right = records["predicted"] == given
    low, high = wilson(int((right & known).sum()), int(known.sum()))
    return LiveAccuracy(
        labelled=int(known.sum()),
        right=int((right & known).sum()),
        neither=int((given == NEITHER).sum()),
        low=low,
        high=high,
        weighted=_weighted(records["confidence"], known, right),
    )


def _weighted(confidence: NDArray[np.float64], known: NDArray[np.bool_], right: NDArray[np.bool_]) -> float | None:
    tenth = np.minimum((confidence * 10).astype(np.int64), 9)
    traffic = np.bincount(tenth, minlength=10) / len(tenth)
    labelled = np.bincount(tenth[known], minlength=10)
    correct = np.bincount(tenth[known & right], minlength=10)
    if ((labelled == 0) & (traffic >= 0.01)).any():
        return None
    has = labelled > 0
    return float((traffic[has] * correct[has] / labelled[has]).sum() / traffic[has].sum())
