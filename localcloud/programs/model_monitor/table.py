"""Tables as columns of text: CSV with or without header, and JSON, one object a line.

A cell that is empty, or null in JSON, is missing. Columns without names are _c0, _c1, … as Spark calls them, on which
AWS's analyzer runs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Columns = dict[str, list[str]]
"""The cells of every column, all of one length; "" is missing."""


class TableError(Exception):
    """The data, or what the job is told of it, cannot be used."""


def read(source: Path, dataset_format: str) -> Columns:
    """All files below `source`, in order of their names.

    Raises:
        TableError: another format, no rows, rows of different lengths, or what is no text.
    """
    try:
        told = json.loads(dataset_format or "{}")
        kind, options = next(iter(told.items()))
    except (ValueError, AttributeError, StopIteration):
        raise TableError(f"dataset_format {dataset_format!r} names no format") from None
    if kind not in ("csv", "json"):
        raise TableError(f"dataset_format {kind} is none of csv and json, which the local analyzer reads")
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    columns: Columns = {}
    rows = 0
    for path in files:
        for row in _rows(path, _csv(path, bool((options or {}).get("header"))) if kind == "csv" else _json(path)):
            for name in row:
                if name not in columns:
                    columns[name] = [""] * rows
            for name, cells in columns.items():
                cells.append(row.get(name, ""))
            rows += 1
    if not rows:
        raise TableError(f"there are no rows in {source}")
    return columns


def _rows(path: Path, rows: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    try:
        yield from rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path.name} cannot be read: {error}") from None


def _csv(path: Path, header: bool) -> Iterator[dict[str, str]]:
    names: list[str] = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row:
                continue
            if not names:
                names = row if header else [f"_c{index}" for index in range(len(row))]
                if repeated := sorted({name for name in names if names.count(name) > 1}):
                    raise TableError(f"more than one column of {path.name} is named {repeated[0]!r}")
                if header:
                    continue
            if len(row) != len(names):
                raise TableError(f"line {number} of {path.name} has {len(row)} cells, and not {len(names)}")
            yield dict(zip(names, row, strict=True))


def _json(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TableError(f"line {number} of {path.name} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise TableError(f"line {number} of {path.name} is no object")
            yield {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
