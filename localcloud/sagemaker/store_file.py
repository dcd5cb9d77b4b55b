"""The file of a store: how it is made, and whether it is whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from localcloud.regions import FOLDER, kept

SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    kind TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL, parent TEXT NOT NULL, status TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resource_arn ON resource (arn);
CREATE INDEX IF NOT EXISTS resource_listing ON resource (kind, parent, created, name);
CREATE INDEX IF NOT EXISTS resource_recent ON resource (kind, created, name);
CREATE INDEX IF NOT EXISTS resource_status ON resource (kind, status);
CREATE TABLE IF NOT EXISTS tag (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key));
"""


class DamagedStoreError(Exception):
    """The file is no database, or a damaged one. The text names it, and says what to do."""


def require_whole_stores(state: Path, file: str) -> None:
    """Look at the stores called `file` of every region, before a server begins.

    Raises:
        SystemExit: one is damaged; the text names it.
    """
    try:
        for region in kept(state, file):
            require_whole(state / FOLDER / region / file)
    except DamagedStoreError as error:
        raise SystemExit(f"Error: {error}") from None


def make(path: Path) -> None:
    """Make an empty database, all at once: an empty file is none, so that one which lost everything is found out."""
    begun = path.with_name(f"{path.name}.new")
    begun.unlink(missing_ok=True)
    with closing(sqlite3.connect(begun)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
    begun.rename(path)


def require_whole(path: Path) -> None:
    """Nothing for a database.

    Raises:
        DamagedStoreError: it is empty, no database, or a damaged one.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        tables, found = 1, str(error)
    if not tables:
        found = "it is empty"
    if found != "ok":
        raise DamagedStoreError(
            f"The database {path} cannot be used: {found}. Put a copy of it back; or remove it, with the files beside "
            "it that begin with its name, to begin without what it held."
        )
