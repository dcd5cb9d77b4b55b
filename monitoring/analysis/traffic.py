"""From capture files to features: a stream of batches, each event once, on one core or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis import capture, parallel
from monitoring.analysis.capture import EVER, Record, Tally, Window
from monitoring.analysis.duplicates import Seen
from monitoring.analysis.features import (
    MISSING,
    PRESENT,
    UNUSABLE,
    USUAL,
    Columns,
    Limits,
    answer_features,
    likeness_features,
    picture_features,
)

PARALLEL_FROM = 64_000_000
"""Bytes of capture files from which starting further processes (about half a second each) pays."""


@dataclass(frozen=True)
class Reading:
    """What to read and how.

    Attributes:
        classes: names in the order of the probabilities; empty if unknown, and then classes are named by number.
        limits: what a picture must meet to be routed.
        pictures: whether to decode and measure the pictures.
    """

    classes: tuple[str, ...] = ()
    limits: Limits = USUAL
    window: Window = EVER
    pictures: bool = True


@dataclass(frozen=True)
class Batch:
    """n records and their features.

    Attributes:
        time: datetime64[s], UTC.
        event_id, inference_id, content_type, place: text, in arrays of objects; place is file:line.
    """

    columns: Columns
    time: NDArray[np.datetime64]
    event_id: NDArray[Any]
    inference_id: NDArray[Any]
    content_type: NDArray[Any]
    place: NDArray[Any]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any]) -> Batch:
        """Some of the records, chosen by index or mask."""
        return Batch(
            self.columns.take(rows),
            *(column[rows] for column in (self.time, self.event_id, self.inference_id, self.content_type, self.place)),
        )


def read(paths: Sequence[Path], reading: Reading, tally: Tally, processes: int | None = None) -> Iterator[Batch]:
    """The records of `paths` with their features, each event once; `tally` counts along.

    The order, and so every result, does not depend on `processes`; None lets the amount of data decide.

    Raises:
        SconesError: a process ended early.
    """
    if processes is None:
        processes = parallel.cores() if sum(path.stat().st_size for path in paths) >= PARALLEL_FROM else 1
    seen = Seen()
    for batch in parallel.spread(featured, paths, reading, tally, processes):
        fresh = seen.first(batch.event_id.tolist())
        tally.duplicates += int(len(fresh) - np.count_nonzero(fresh))
        yield batch if fresh.all() else batch.take(fresh)


def featured(paths: Sequence[Path], reading: Reading, tally: Tally) -> Iterator[Batch]:
    """The records of `paths` with their features, duplicates among them."""
    known = len(reading.classes) or None
    for records in capture.batches(capture.read(paths, tally, reading.window, known)):
        yield _batch(records, reading, tally)


def _batch(records: list[Record], reading: Reading, tally: Tally) -> Batch:
    n = len(records)
    answer_states = np.full(n, PRESENT, np.uint8)
    for row, record in enumerate(records):
        if record.probabilities is None:
            answer_states[row] = UNUSABLE if record.answer_fault else MISSING
    values = answer_features([r.probabilities for r in records], reading.classes, reading.limits.confidence)
    strange = np.array([r.unfamiliarity for r in records], np.float64)
    likeness, said = likeness_features(strange, reading.limits.unfamiliarity)
    values |= likeness
    picture_states = np.full(n, MISSING, np.uint8)
    if reading.pictures:
        measured, picture_states = _pictures(records, tally)
        values |= measured
    return Batch(
        columns=Columns(values, {"answer": answer_states, "likeness": said, "picture": picture_states}),
        time=np.array([r.time.replace(tzinfo=None) for r in records], "datetime64[s]"),
        event_id=np.array([r.event_id for r in records], object),
        inference_id=np.array([r.inference_id for r in records], object),
        content_type=np.array([r.content_type for r in records], object),
        place=np.array([r.place for r in records], object),
    )


def _pictures(records: list[Record], tally: Tally) -> tuple[dict[str, NDArray[Any]], NDArray[np.uint8]]:
    def unusable(row: int, reason: str) -> None:
        tally.faults += 1
        tally.name(f"{records[row].place}: picture: {reason}")

    sent: list[bytes | None] = []
    without = []  # the request was captured, and holds no picture
    for row, record in enumerate(records):
        try:
            sent.append(None if record.request is None else record.picture())
        except ValueError as error:
            sent.append(None)
            without.append(row)
            unusable(row, str(error))
    measured, states = picture_features(sent, unusable)
    states[without] = UNUSABLE
    return measured, states
