"""Reading the files that an endpoint's data capture writes: JSON Lines, one request and its answer per line.

Layout: `<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl`, UTC, the hour of the file's first record.
A flat folder, and gzip-compressed files, are read as well. Memory does not grow with the number of records. A line that
cannot be read is counted and named; nothing is dropped silently.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import nan
from pathlib import Path
from typing import Any, BinaryIO

from monitoring.analysis import compressed, payload
from project import json_text
from project.errors import DataError

SUFFIXES = (".jsonl", ".jsonl.gz")
LONGEST_LINE = 40_000_000
"""Bytes; an endpoint takes 25 MB, a third more in base64, and its answer."""
MOST_BAD_LINES = 100_000
"""Of one file, after which it is not read on: it is something else."""
NAMED = 100
"""How many problems are kept word for word; the others are only counted."""
LATEST = timedelta(hours=1)
"""How long after the hour of its folder a record may be: a file is begun in one hour and ends in the next."""
HOUR_FOLDER = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+$")


@dataclass(frozen=True)
class Window:
    """From `start`, inclusive, to `end`, exclusive; None is without a bound. Times carry a time zone."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` lies inside."""
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)

    def may_hold(self, path: str) -> bool:
        """Whether the file at `path` may have records inside; yes if no hour can be read from the path."""
        found = HOUR_FOLDER.search("/" + path)
        if not found:
            return True
        try:
            year, month, day, hour_of_day = (int(part) for part in found.groups())
            hour = datetime(year, month, day, hour_of_day, tzinfo=UTC)
        except ValueError:
            return True
        after = self.end is not None and hour >= self.end
        before = self.start is not None and hour + timedelta(hours=1) + LATEST <= self.start
        return not (after or before)


EVER = Window()
UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading ends with when a file is gone, may not be read, or is a gzip stream that ends early."""


@dataclass(slots=True)
class Record:
    """One captured request.

    Attributes:
        time: when it was answered, UTC, to the second.
        inference_id: what the caller named it, or "".
        probabilities: in class order; None without an answer, or with one that is no list of probabilities.
        unfamiliarity: 0 to 1, NaN if the answer does not say it.
        answer_fault: why the answer is none, or "" when it is fine or there was none at all.
        request: the side that was sent, or None; `picture` decodes it.
        ground_truth: the side that a merge job added, or None.
        place: file:line.
    """

    time: datetime
    event_id: str
    inference_id: str
    content_type: str
    probabilities: list[float] | None
    unfamiliarity: float
    answer_fault: str
    request: dict[str, Any] | None
    ground_truth: dict[str, Any] | None
    place: str

    def picture(self) -> bytes:
        """The picture that was sent.

        Raises:
            ValueError: there is none; the text says why.
        """
        if self.request is None:
            raise ValueError("the request was not captured")
        return payload.picture(self.request)


@dataclass
class Tally:
    """What a reading met. `problems` names the first ones as `file:line: reason`; `bad` counts lines without a record.

    Attributes:
        outside: records outside the time window.
        duplicates: records whose event was read before.
        faults: records with an answer or a picture that cannot be used; they are read, and have no such features.
        passed_over: files beside the others that are called otherwise, and were not opened.
    """

    files: int = 0
    lines: int = 0
    bad: int = 0
    outside: int = 0
    duplicates: int = 0
    faults: int = 0
    passed_over: int = 0
    problems: list[str] = field(default_factory=list)

    def name(self, problem: str) -> None:
        """Keep `problem`, if there is still room; half a character in it as JSON writes it."""
        if len(self.problems) < NAMED:
            self.problems.append(problem.encode("utf-8", "backslashreplace").decode())

    def add(self, other: Tally) -> None:
        """Count what `other` counted."""
        for count in ("files", "lines", "bad", "outside", "duplicates", "faults", "passed_over"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        for problem in other.problems:
            self.name(problem)


def files(folder: Path, window: Window = EVER, tally: Tally | None = None) -> list[Path]:
    """The capture files below `folder` (or `folder` itself, if it is a file) that may have records in `window`.

    `tally` counts and names files that are called otherwise; hidden ones are nobody's traffic.

    Raises:
        DataError: there is no such folder.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of captured traffic.", "Name the folder that was captured to.")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and window.may_hold(path.as_posix()))
    if tally:
        for path in (one for one in found if not one.name.endswith(SUFFIXES) and not one.name.startswith(".")):
            tally.passed_over += 1
            tally.name(f"{path}: passed over: only {' and '.join(SUFFIXES)} files are read")
    return [path for path in found if path.name.endswith(SUFFIXES)]


def read(paths: Iterable[Path], tally: Tally, window: Window = EVER, classes: int | None = None) -> Iterator[Record]:
    """The records of `paths` inside `window`, in the order of the files; duplicates are still among them.

    `tally` counts along. `classes` is how many probabilities an answer has, if that is known.
    """
    for path in paths:
        tally.files += 1
        number, bad, name = 0, 0, str(path)
        try:
            with opened(path) as stream:
                for number, line in enumerate(_lines(stream), start=1):
                    if not line.strip():
                        continue
                    tally.lines += 1
                    place = f"{name}:{number}"
                    try:
                        record = _record(line, place, classes)
                    except ValueError as error:
                        tally.bad += 1
                        bad += 1
                        tally.name(f"{place}: {error}")
                        if bad == MOST_BAD_LINES:
                            raise OSError(f"{bad:,} of its lines are no captured requests") from None
                        continue
                    if not window.holds(record.time):
                        tally.outside += 1
                        continue
                    if record.answer_fault:
                        tally.faults += 1
                        tally.name(f"{place}: answer: {record.answer_fault}")
                    yield record
        except UNREADABLE as error:  # gone, unreadable, or a gzip stream that ends early
            tally.bad += 1
            tally.name(f"{path}:{number + 1}: the file cannot be read on: {error}")


def at(place: str) -> Record:
    """The record at `place`, which is file:line.

    Raises:
        ValueError: there is none any more; the text says why.
    """
    path, _, number = place.rpartition(":")
    try:
        with opened(Path(path)) as stream:
            line = next(islice(_lines(stream), int(number) - 1, None), b"")
    except UNREADABLE as error:
        raise ValueError(f"cannot be read: {error}") from None
    return _record(line, place, None)


def batches(records: Iterable[Record], size: int = 512) -> Iterator[list[Record]]:
    """`records` in lists of at most `size`, across the borders of files."""
    stream = iter(records)
    while batch := list(islice(stream, size)):
        yield batch


def moment(text: object) -> datetime:
    """An ISO 8601 time with its zone; without one it is UTC.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str):
        raise ValueError(f"{text!r:.40} is not a time")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r:.40} is not a time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, uncompressed if they are gzip's, whatever it is called."""
    return compressed.unpacked(path.open("rb"))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of `stream`; of one beyond the limit only its beginning, which then is no JSON."""
    while line := stream.readline(LONGEST_LINE):
        yield line
        while not line.endswith(b"\n") and len(line) == LONGEST_LINE:
            line = stream.readline(LONGEST_LINE)


def _record(line: bytes, place: str, classes: int | None) -> Record:
    try:
        entry = payload.parsed(line.decode())
    except (ValueError, RecursionError) as error:
        reason = f"longer than {LONGEST_LINE} bytes" if len(line) == LONGEST_LINE else f"not JSON: {error}"
        raise ValueError(reason) from None
    if b"\\u" in line and (problem := json_text.problem(entry)):  # other text has nothing that cannot be written
        raise ValueError(problem)
    captured = entry.get("captureData") if isinstance(entry, dict) else None
    event = entry.get("eventMetadata") if isinstance(entry, dict) else None
    if not isinstance(captured, dict) or not isinstance(event, dict):
        raise ValueError("not a captured request: captureData or eventMetadata is missing")
    if entry.get("eventVersion", "0") != "0":
        raise ValueError(f"unknown eventVersion {entry['eventVersion']!r:.40}")
    event_id = event.get("eventId")
    if not isinstance(event_id, str) or not event_id:
        raise ValueError("eventMetadata.eventId is missing")
    time = event.get("inferenceTime")
    try:
        answered = moment(time)
    except ValueError as error:
        raise ValueError(f"eventMetadata.inferenceTime: {error}") from None
    request, answer = captured.get("endpointInput"), captured.get("endpointOutput")
    probabilities, unfamiliarity, fault = None, nan, ""
    if isinstance(answer, dict) and not payload.is_empty(answer):
        try:
            said = payload.answer(answer, classes)
            probabilities, unfamiliarity = said.probabilities, said.unfamiliarity
        except ValueError as error:
            fault = str(error)
    sent = None if payload.is_empty(request) else request
    truth = entry.get("groundTruthData")
    return Record(
        time=answered,
        event_id=event_id,
        inference_id=str(event.get("inferenceId") or ""),
        content_type=str(sent.get("observedContentType", "")) if sent else "",
        probabilities=probabilities,
        unfamiliarity=unfamiliarity,
        answer_fault=fault,
        request=sent,
        ground_truth=truth if isinstance(truth, dict) else None,
        place=place,
    )
