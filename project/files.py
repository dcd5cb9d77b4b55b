"""Files and folders that appear only when they are complete, and the checksum that a file is known by."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from project.errors import DataError


@contextmanager
def write_folder(output: Path) -> Iterator[Path]:
    """A scratch folder to write in; what is in it appears in `output` when the block ends, and vanishes if it fails.

    SageMaker makes the folders of a processing job's outputs beforehand, so existing empty ones are filled.

    Raises:
        DataError: `output` already holds a file that would be replaced.
    """
    scratch = output / ".partial"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        _move_into(scratch, output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move_into(source: Path, target: Path) -> None:
    for entry in sorted(source.iterdir()):
        there = target / entry.name
        if entry.is_dir() and there.is_dir():
            _move_into(entry, there)
        elif there.exists():
            raise DataError(f"{there}: already there.", "Give the job an empty output folder.")
        else:
            shutil.move(entry, there)  # a rename, unless the output is a mount of its own


@contextmanager
def write_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` when the block ends, and vanishes if it fails.

    Whoever reads `path` meanwhile sees the old file or none, never half of one.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, in a folder that is made if need be; `path` appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON that any reader accepts: NaN and infinity are refused.

    Raises:
        ValueError: NaN or infinity in `value`.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
