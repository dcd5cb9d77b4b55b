"""Metadata on disk: one SQLite database that survives `kill -9`.

A resource is a JSON document (as its Describe operation answers, plus members of our own that the API does not show)
with the few columns that listings filter and order by.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from localcloud.sagemaker.store_file import SCHEMA, make, require_whole
from localcloud.service.errors import ServiceError, disk_is_full

Body = dict[str, Any]
Written = TypeVar("Written")
Column = Literal["created", "name", "status"]

log = logging.getLogger(__name__)


RESERVE_BYTES = 1 << 20
LOOK_SECONDS = 1.0


class DiskFullError(ServiceError):
    """Nothing more fits on the disk of the state folder. Clients do not try it again: it is no server's fault."""

    def __init__(self, path: Path | str) -> None:
        folder = Path(path).parent
        super().__init__("ResourceLimitExceeded", f"The disk that holds {folder} is full. Free space on it.")


class AlreadyExistsError(Exception):
    """A resource of that kind and name is there already."""


class MissingError(Exception):
    """There is no resource of that kind and name."""


class BadTokenError(ValueError):
    """A page is asked for with a token that no page gave."""


@dataclass(frozen=True)
class Resource:
    """One row: the document and the columns beside it. Times are epoch seconds."""

    kind: str
    name: str
    arn: str
    parent: str
    status: str
    created: float
    modified: float
    body: Body


class Store:
    """Resources and tags. Every method is one transaction and may be called from any thread."""

    def __init__(self, path: Path | str) -> None:
        """Open the store, or make it.

        Raises:
            DamagedStoreError: the file is no whole database.
        """
        self._path = Path(path)
        require_whole(self._path) if self._path.exists() else make(self._path)
        self._closing = threading.Event()
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)
        self._reserve = self._path.with_name(f"{self._path.name}.reserve")
        if not self._reserve.exists():
            with suppress(OSError):  # full already: then there is none
                self._reserve.write_bytes(bytes(RESERVE_BYTES))

    def close(self) -> None:
        """Fold the write-ahead log in and close the file."""
        self._closing.set()
        with self._lock:
            self._connection.close()

    def insist(self, write: Callable[[], Written]) -> Written:
        """Do `write` although the disk is full: give up the reserve for it, then wait until there is room.

        For what has happened already and whoever waits must hear, such as the end of a job. Inside of a transaction,
        and when the store is closed meanwhile, it fails as any other.

        Raises:
            DiskFullError: as said.
        """
        while True:
            with self._lock:
                nested = self._connection.in_transaction  # of no other thread: that would have the lock
            try:
                return write()
            except DiskFullError as error:
                if nested:
                    raise
                log.error("%s What has ended is written then.", error.message)
                if self._reserve.exists():
                    self._reserve.unlink(missing_ok=True)
                elif self._closing.wait(LOOK_SECONDS):
                    raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several reads and writes that happen together or not at all; may be nested.

        Raises:
            DiskFullError: nothing was written.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")  # one that fails leaves the transaction open
            except BaseException as error:
                if self._connection.in_transaction:  # SQLite may have ended it by itself
                    self._connection.execute("ROLLBACK")
                if disk_is_full(error):
                    raise DiskFullError(self._path) from error
                raise

    def insert(self, kind: str, name: str, body: Body, *, arn: str, parent: str = "", status: str = "") -> Resource:
        """Add a resource.

        Raises:
            AlreadyExistsError: the kind has one of that name.
        """
        now = time.time()
        row = (kind, name, arn, parent, status, now, now, json.dumps(body))
        with self.transaction() as connection:
            try:
                connection.execute("INSERT INTO resource VALUES (?,?,?,?,?,?,?,?)", row)
            except sqlite3.IntegrityError:
                raise AlreadyExistsError(f"{kind} {name}") from None
        return Resource(kind, name, arn, parent, status, now, now, body)

    def find(self, kind: str, name: str) -> Resource | None:
        """The resource, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM resource WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return _resource(row) if row else None

    def find_arn(self, arn: str) -> Resource | None:
        """The resource with that ARN, or None."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM resource WHERE arn = ?", (arn,)).fetchone()
        return _resource(row) if row else None

    def update(
        self, kind: str, name: str, change: Body | Callable[[Body], Body], *, status: str | None = None
    ) -> Resource:
        """Merge `change` into the document (or replace it by what the function returns) and set the status.

        Raises:
            MissingError: there is no such resource.
        """
        with self.transaction() as connection:
            old = self.find(kind, name)
            if old is None:
                raise MissingError(f"{kind} {name}")
            body = change(old.body) if callable(change) else {**old.body, **change}
            now = time.time()
            new_status = old.status if status is None else status
            connection.execute(
                "UPDATE resource SET body = ?, status = ?, modified = ? WHERE kind = ? AND name = ?",
                (json.dumps(body), new_status, now, kind, name),
            )
        return Resource(kind, name, old.arn, old.parent, new_status, old.created, now, body)

    def delete(self, kind: str, name: str) -> bool:
        """Remove the resource and its tags; False when there was none."""
        with self.transaction() as connection:
            old = self.find(kind, name)
            if old is None:
                return False
            connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (kind, name))
            connection.execute("DELETE FROM tag WHERE arn = ?", (old.arn,))
        return True

    def page(
        self,
        kind: str,
        *,
        parent: str | None = None,
        statuses: tuple[str, ...] = (),
        name_contains: str = "",
        created_after: float | None = None,
        created_before: float | None = None,
        modified_after: float | None = None,
        modified_before: float | None = None,
        order: Column = "created",
        descending: bool = True,
        limit: int = -1,
        after: str = "",
    ) -> tuple[list[Resource], str]:
        """A page of resources in order of a column (then name), and the token of the next page ("" after the last).

        The times are in whole milliseconds, which is how clients know them: one of a resource includes that resource.
        `after` is the token of the page before, of the same order; a negative `limit` means all.

        Raises:
            BadTokenError: `after` is not such a token.
        """
        where, values = ["kind = ?"], [kind]  # type: tuple[list[str], list[Any]]
        if parent is not None:
            where.append("parent = ?")
            values.append(parent)
        if statuses:
            where.append(f"status IN ({', '.join('?' * len(statuses))})")
            values.extend(statuses)
        if name_contains:
            where.append("instr(name, ?) > 0")
            values.append(name_contains)
        limits = {
            "created >= ?": created_after,
            "created < ? + 0.001": created_before,
            "modified >= ?": modified_after,
            "modified < ? + 0.001": modified_before,
        }
        for condition, value in limits.items():
            if value is not None:
                where.append(condition)
                values.append(value)
        if after:
            place, name = _place(after, order)
            where.append(f"({order}, name) {'<' if descending else '>'} (?, ?)")
            values.extend((place, name))
        direction = "DESC" if descending else "ASC"
        query = (
            f"SELECT * FROM resource WHERE {' AND '.join(where)} "  # noqa: S608 - only fixed words are put in
            f"ORDER BY {order} {direction}, name {direction} LIMIT ?"
        )
        with self._lock:
            rows = self._connection.execute(query, (*values, limit + 1 if limit >= 0 else -1)).fetchall()
        page = [_resource(row) for row in rows[: limit if limit >= 0 else None]]
        more = limit >= 0 and len(rows) > limit and page
        return page, f"{getattr(page[-1], order)}|{page[-1].name}" if more else ""

    def set_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags, replacing those of the same key."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO tag VALUES (?,?,?)", [(arn, k, v) for k, v in tags.items()])

    def delete_tags(self, arn: str, keys: list[str]) -> None:
        """Remove tags by key; keys that are not there are passed over."""
        with self.transaction() as connection:
            connection.executemany("DELETE FROM tag WHERE arn = ? AND key = ?", [(arn, key) for key in keys])

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource, by key."""
        with self._lock:
            rows = self._connection.execute("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", (arn,)).fetchall()
        return dict(rows)


def _place(token: str, order: Column) -> tuple[float | str, str]:
    """What a page's token says: the order's value, and the name, of the last resource before it.

    Raises:
        BadTokenError: it is none of ours.
    """
    place, bar, name = token.partition("|")
    try:
        if not bar or not name:
            raise ValueError
        return float(place) if order == "created" else place, name
    except ValueError:
        raise BadTokenError(token) from None


def _resource(row: tuple[Any, ...]) -> Resource:
    kind, name, arn, parent, status, created, modified, body = row
    return Resource(kind, name, arn, parent, status, created, modified, json.loads(body))
