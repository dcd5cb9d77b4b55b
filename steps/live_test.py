"""The live test set: reviewed deliveries that no model learns from, on which versions are compared.

From ExtractCifar to Evaluate they travel as `reviewed.json` and PNG files beside it. Each entry has `file`, `label`
(the number of the class, None for neither) and `answers`, a version's number to the probabilities that it gave.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from project import json_text
from project.errors import DataError
from project.files import write_json

FOLDER = "reviewed"
FILE = "reviewed.json"
Entry = dict[str, Any]


def write(folder: Path, held_out: Iterable[tuple[Entry, bytes]]) -> None:
    """Write the pictures and their list below `folder`, where images.csv is."""
    (folder / FOLDER).mkdir(parents=True)
    entries = []
    for entry, png in held_out:
        (folder / FOLDER / entry["file"]).write_bytes(png)
        entries.append(entry)
    write_list(folder / FOLDER, entries)


def write_list(folder: Path, entries: list[Entry]) -> None:
    """Write the list alone."""
    write_json(folder / FILE, {"pictures": entries})


def read(folder: Path) -> list[Entry]:
    """The entries of the list in `folder`; none where there is no list.

    Raises:
        DataError: it is no such list.
    """
    file = folder / FILE
    if not file.is_file():
        return []
    try:
        rows = json_text.parsed(file.read_bytes())["pictures"]
        return [{name: row[name] for name in ("file", "label", "answers")} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: no list of reviewed pictures: {error!r}.", "Build the manifests again.") from None
