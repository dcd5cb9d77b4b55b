"""Captured records as one table: what a page needs of each, and where the rest of it lies.

The reading itself is `monitoring`'s: what the monitor counts as a record, a fault or a duplicate is the same here.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis import compressed, payload, traffic
from monitoring.analysis.capture import Tally

IDENTIFIER = 64
"""Bytes of an inference id, at most (InvokeEndpoint's own limit); an event id is a UUID of 36."""
RECORD = np.dtype(
    [
        ("time", "<i8"),  # seconds since 1970, UTC
        ("confidence", "<f8"),  # NaN without a usable answer
        ("margin", "<f8"),
        ("unfamiliarity", "<f8"),  # NaN if the answer does not say it
        ("predicted", "<i2"),  # number of the class, -1 without a usable answer
        ("event", f"S{IDENTIFIER}"),
        ("inference", f"S{IDENTIFIER}"),  # what the caller named it, or nothing
        ("file", "<i4"),  # index into the files of the table
        ("offset", "<i8"),  # where its line begins in the (uncompressed) file, and how long that is
        ("length", "<i4"),
    ]
)
Records = NDArray[Any]
"""Structured array (n,) of RECORD."""
EMPTY: Records = np.zeros(0, RECORD)
VARIANT = re.compile(r"/([^/]+)/\d{4}/\d{2}/\d{2}/\d{2}/[^/]+$")


@dataclass(frozen=True)
class Parsed:
    """One capture file: its records, how many lines could not be read, and the first reasons."""

    records: Records
    bad: int = 0
    faults: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Everything read so far, by time; each event once.

    Attributes:
        files: key of each file; `records["file"]` counts into it.
        variants: the variant that each file is of, by the same index.
        unread: files that are there and were not read yet.
        left_out: files too old to be kept beside so many newer ones.
    """

    records: Records = field(default_factory=lambda: EMPTY)
    files: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    bad: int = 0
    faults: int = 0
    problems: tuple[str, ...] = ()
    unread: int = 0
    left_out: int = 0

    def chosen(self, since: float | None = None, variant: str | None = None) -> Records:
        """The records from `since` on (seconds since 1970), of one variant or of all."""
        records = self.records
        if since is not None:
            records = records[np.searchsorted(records["time"], since) :]
        if variant is not None:
            of_it = np.array([name == variant for name in self.variants], bool)
            records = records[of_it[records["file"]]] if len(records) else records
        return records


def answered(records: Records) -> Records:
    """Those with a usable answer; where all have one, the same array and no copy."""
    usable = records["predicted"] >= 0
    return records if usable.all() else records[usable]


def names_of(record: Any) -> tuple[str, ...]:
    """What a label may call the record: its inference id, if it has one, then its event id."""
    return tuple(name.decode("utf-8", "replace") for name in (record["inference"], record["event"]) if name)


def variant_of(key: str) -> str:
    """The variant that a capture file's key names, or nothing."""
    found = VARIANT.search("/" + key)
    return found[1] if found else ""


def uncompressed(content: bytes) -> tuple[bytes, str]:
    """The file's lines, of a damaged compressed file those before the damage; and what the damage is, or nothing.

    Blank lines of a compressed file are left out: millions of them cost next to nothing to send.
    """
    if not compressed.is_compressed(content):
        return content, ""
    lines = bytearray()
    try:
        with compressed.unpacked(io.BytesIO(content)) as stream:
            for line in stream:
                if not line.isspace():
                    lines += line
    except (OSError, EOFError, zlib.error) as error:
        return bytes(lines), f"the file cannot be read on: {error}"
    return bytes(lines), ""


def parsed(content: bytes, key: str, classes: Sequence[str]) -> Parsed:
    """Read one capture file. `file` of its records is 0 until they join a table."""
    lines, damage = uncompressed(content)
    tally = Tally()
    numbers = tuple(str(number) for number in range(len(classes)))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "captured.jsonl"
        path.write_bytes(lines)
        batches = list(traffic.featured([path], traffic.Reading(numbers, pictures=False), tally))
    problems = [problem.replace(str(path), key) for problem in tally.problems]
    if damage:
        tally.bad += 1
        problems.append(f"{key}: {damage}")
    begins, ends = _lines(lines, max((_line(batch.place[-1]) for batch in batches if len(batch)), default=0))
    parts = [_records(batch, begins, ends) for batch in batches]
    return Parsed(np.concatenate(parts) if parts else EMPTY, tally.bad, tally.faults, tuple(problems))


def _line(place: str) -> int:
    return int(place.rpartition(":")[2])


def _lines(content: bytes, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each of the first `count` lines begins and ends."""
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == 10)[:count]
    if len(ends) < count:  # the last one has no line break
        ends = np.append(ends, len(content))
    return np.concatenate([[0], ends[:-1] + 1]), ends


def _records(batch: traffic.Batch, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> Records:
    records = np.zeros(len(batch), RECORD)
    line = np.array([_line(place) - 1 for place in batch.place])
    values = batch.columns.values
    records["time"] = batch.time.astype(np.int64)
    for name in ("confidence", "margin", "unfamiliarity"):
        records[name] = values[name]
    records["predicted"] = [-1 if name is None else int(name) for name in values["predicted_class"]]
    for column, ids in (("event", batch.event_id), ("inference", batch.inference_id)):
        records[column] = [name.encode("utf-8", "replace") for name in ids]
    records["offset"], records["length"] = begins[line], ends[line] - begins[line]
    return records


def picture(line: bytes) -> bytes:
    """The picture in one line of a capture file.

    Raises:
        ValueError: there is none; the text says why.
    """
    side = json.loads(line)["captureData"].get("endpointInput")
    if payload.is_empty(side):
        raise ValueError("the request was not captured")
    return payload.picture(side)
