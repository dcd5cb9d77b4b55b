"""What was read from files in S3, kept on disk by key and ETag: the next start reads only what is new.

One SQLite file that may be deleted at any time. A file of another version, or a damaged one, is begun anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scones.desk.data.records import RECORD, Parsed

VERSION = 2
"""Raise it when RECORD, or what is read into it, changes."""
AT_ONCE = 500
"""Keys asked for in one query; SQLite takes at least 999 parameters."""


def default_folder() -> Path:
    """`$XDG_CACHE_HOME/scones`, which is `~/.cache/scones` unless set."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scones"


class FileCache:
    """Parsed capture files of one bucket, read for one number of classes. Any thread may call.

    Args:
        folder: where the file lies; None keeps everything in memory.
    """

    def __init__(self, folder: Path | None, bucket: str, classes: int) -> None:
        self._lock = threading.Lock()
        self._connection = _open(folder, f"dashboard-{bucket}-{classes}")

    def get(self, files: Mapping[str, str]) -> dict[str, Parsed]:
        """What is known of `files` (key to ETag), by key."""
        found: dict[str, Parsed] = {}
        keys = list(files)
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, etag, records, notes FROM files WHERE key IN ({marks})"  # noqa: S608  # marks alone
            with self._lock:
                rows = self._connection.execute(query, part).fetchall()
            for key, etag, records, notes in rows:
                if etag == files[key]:
                    found[key] = _parsed(records, notes)
        return found

    def put(self, files: Sequence[tuple[str, str, Parsed]]) -> None:
        """Remember files: key, ETag and what was read."""
        rows = [
            (key, etag, one.records.tobytes(), json.dumps([one.bad, one.faults, *one.problems]))
            for key, etag, one in files
        ]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()


def _parsed(records: bytes, notes: str) -> Parsed:
    bad, faults, *problems = json.loads(notes)
    return Parsed(np.frombuffer(records, RECORD), bad, faults, tuple(problems))


def _open(folder: Path | None, name: str) -> sqlite3.Connection:
    if folder is None:
        return _prepare(":memory:")
    path = folder / f"{name}-v{VERSION}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _prepare(path)
    except OSError:
        return _prepare(":memory:")  # a home that cannot be written to costs time at the next start, no more
    except sqlite3.DatabaseError:
        return _recreate(path)


def _recreate(path: Path) -> sqlite3.Connection:
    try:
        path.unlink(missing_ok=True)
        return _prepare(path)
    except (OSError, sqlite3.DatabaseError):
        return _prepare(":memory:")


def _prepare(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # losing it costs reading again
        connection.execute(
            "CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, etag TEXT, records BLOB, notes TEXT)"
        )
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
