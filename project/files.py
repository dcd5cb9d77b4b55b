"""How a job hands over its outputs: only when all of them are complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from project.errors import DataError


@contextmanager
def published(output: Path) -> Iterator[Path]:
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


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON that any reader accepts: NaN and infinity are refused.

    Raises:
        ValueError: NaN or infinity in `value`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")
