"""Labels as a file for other programs: a row for every answer that somebody gave, with what the model had said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from monitoring.analysis.ground_truth import NEITHER, NEITHER_NAME
from monitoring.watch.labels import Given, given_at, reviewer_of
from scones.desk.data.records import Records, names_of

COLUMNS = ("event", "label", "reviewer", "given_at", "counts", "captured_at", "predicted", "confidence", "file")


def rows(
    given: Sequence[Given], records: Records, files: Sequence[str], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Every answer, the oldest first; the columns of a record that is not among `records` are None.

    `counts`: whether it is the last answer about its event, which the others gave way to.
    """
    last = {one.event: one.key for one in given}
    known = {name: record for record in records for name in names_of(record)} if len(given) else {}
    return [_row(one, last[one.event] == one.key, known, files, classes) for one in given]


def _row(
    one: Given, counts: bool, known: Mapping[str, Any], files: Sequence[str], classes: Sequence[str]
) -> dict[str, Any]:
    record, when = known.get(one.event), given_at(one.key)
    said = {
        "event": one.event,
        "label": NEITHER_NAME if one.label == NEITHER else classes[one.label],
        "reviewer": reviewer_of(one.key),
        "given_at": when.isoformat() if when else None,
        "counts": counts,
    }
    of_record = dict.fromkeys(COLUMNS[len(said) :])
    if record is not None:
        of_record = {
            "captured_at": datetime.fromtimestamp(int(record["time"]), UTC).isoformat(),
            "predicted": classes[record["predicted"]],
            "confidence": float(record["confidence"]),
            "file": files[record["file"]],
        }
    return said | of_record


def as_json(found: Iterable[Mapping[str, Any]]) -> bytes:
    """A JSON array of objects."""
    return (json.dumps(list(found), indent=1, allow_nan=False) + "\n").encode()


def as_csv(found: Iterable[Mapping[str, Any]]) -> bytes:
    """A table with a line of names; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for one in found:
        table.writerow({name: _cell(value) for name, value in one.items()})
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
