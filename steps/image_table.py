"""images.csv: a line for each extracted picture, and what a picture is on its way there."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

PARTS = ("train", "test")
FILE = "images.csv"
LEFT_OUT_FILE = "left_out.csv"


@dataclass(frozen=True)
class Row:
    """A line of images.csv. `group`: what it was photographed with; `source_side`: of an own picture, in pixels."""

    path: str
    split: str
    label: int
    class_name: str
    pixels_sha256: str
    group: str
    source_side: int | None = None


COLUMNS = tuple(field.name for field in fields(Row))
Picture = tuple[Row, bytes]
"""A line, and the PNG file that it is about."""


def write(folder: Path, pictures: Sequence[Picture]) -> None:
    """Write the table and every picture below `folder`."""
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    with (folder / FILE).open("w", newline="", encoding="utf-8") as table:
        lines = csv.writer(table, lineterminator="\n")
        lines.writerow(COLUMNS)
        for row, content in pictures:
            (folder / row.path).write_bytes(content)
            lines.writerow(astuple(row))


def write_left_out(folder: Path, refused: dict[str, str]) -> None:
    """Write the names of the pictures that cannot be used, and why."""
    with (folder / LEFT_OUT_FILE).open("w", newline="", encoding="utf-8") as table:
        lines = csv.writer(table, lineterminator="\n")
        lines.writerow(("name", "reason"))
        lines.writerows((repr(name)[1:-1], reason) for name, reason in refused.items())  # names hold anything
