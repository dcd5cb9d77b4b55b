"""`.lst` manifests of the built-in image-classification algorithm: index, label and path, separated by tabs.

The index is unique; labels are 0-based and consecutive; a path is relative to the folder of its channel.
Contract: SageMaker's image-classification documentation and real files of its users.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from project.errors import DataError


@dataclass(frozen=True)
class Entry:
    """One image of a channel."""

    index: int
    label: int
    path: str


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write `entries`, one line each."""
    text = "".join(f"{e.index}\t{e.label}\t{e.path}\n" for e in entries)
    file.write_text(text, encoding="utf-8", newline="")


def read(file: Path, images: Path, classes: int) -> list[Entry]:
    """Read a manifest and check all of it; each path must exist below the folder `images`.

    Raises:
        DataError: it cannot be read or is empty; a line is not three tab-separated fields; an index or a path occurs
            twice; a label is outside 0 to `classes` - 1 or one is never used; a path is absolute, leads out of
            `images`, or names no file.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.", "Build the manifests first.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from None
    if text.startswith("\ufeff"):
        raise DataError(f"{file}: begins with a byte-order mark.", "Save it as UTF-8 without one.")
    if "\r" in text:
        raise DataError(f"{file}: lines end in CR LF.", "Convert it to LF line ends.")
    entries: list[Entry] = []
    seen: dict[int | str, int] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        where = f"{file}: line {number}"
        entry = _parsed(line, where)
        _check_path(entry.path, images, where)
        if not 0 <= entry.label < classes:
            raise DataError(f"{where}: label {entry.label} is outside 0 to {classes - 1}.")
        for key, kind in ((entry.index, "index"), (entry.path, "path")):
            if key in seen:
                raise DataError(f"{where}: {kind} {key} was used in line {seen[key]}.", f"Each {kind} occurs once.")
            seen[key] = number
        entries.append(entry)
    if not entries:
        raise DataError(f"{file}: empty.", "Build the manifests again.")
    gaps = sorted(set(range(classes)) - {entry.label for entry in entries})
    if gaps:
        raise DataError(f"{file}: no image has label {gaps[0]}; labels must cover 0 to {classes - 1}.")
    return entries


def _parsed(line: str, where: str) -> Entry:
    fields = line.split("\t")
    if len(fields) != 3:
        hint = " Spaces separate them." if len(fields) == 1 and len(line.split()) == 3 else ""
        raise DataError(f"{where}: {len(fields)} tab-separated fields instead of 3.{hint}", "Use index, label, path.")
    index, label, path = fields
    for value, kind in ((index, "index"), (label, "label")):
        if not (value.isascii() and value.isdigit()):
            raise DataError(f"{where}: {kind} {value!r} is not a whole number.", "Write it as digits only.")
    return Entry(int(index), int(label), path)


def _check_path(path: str, images: Path, where: str) -> None:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts:
        raise DataError(f"{where}: path {path!r} is not inside the image folder.", "Write it relative to that folder.")
    if not (images / path).is_file():
        raise DataError(f"{where}: no file {path!r} in {images}.", "Build the manifests again from these images.")
