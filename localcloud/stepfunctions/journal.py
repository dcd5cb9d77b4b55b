"""The store of the local Step Functions: resources and tags as the local SageMaker keeps them, and histories."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from localcloud.stepfunctions.protocol import Body, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    execution TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (execution, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revision (hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""

Event = dict[str, Any]


class Journal(Store):
    """The store with two tables more: events of executions, written as they happen, and what state machines were."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        with self._lock:
            self._connection.executescript(SCHEMA)

    def append(self, execution: str, event: Event) -> None:
        """Add an event of `execution` (its ARN), whose `id` counts from 1."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO event VALUES (?,?,?)", (execution, event["id"], json.dumps(event))
            )

    def events(self, execution: str, after: int | None, limit: int, newest_first: bool) -> list[Event]:
        """At most `limit` events beyond the one with the id `after`, in the order asked for; None begins."""
        beyond = "" if after is None else f"AND id {'<' if newest_first else '>'} {int(after)}"
        query = (
            f"SELECT body FROM event WHERE execution = ? {beyond} "  # noqa: S608 - only words of ours and a number
            f"ORDER BY id {'DESC' if newest_first else 'ASC'} LIMIT ?"
        )
        with self._lock:
            rows = self._connection.execute(query, (execution, limit)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def forget(self, execution: str) -> None:
        """Remove the events of an execution."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM event WHERE execution = ?", (execution,))

    def keep_revision(self, machine: Body) -> str:
        """Keep a state machine as it is now, once however many executions it has; the name of this revision of it."""
        text = json.dumps(machine, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()
        with self._lock:
            known = self._connection.execute("SELECT 1 FROM revision WHERE hash = ?", (name,)).fetchone()
        if not known:
            with self.transaction() as connection:
                connection.execute("INSERT OR IGNORE INTO revision VALUES (?,?)", (name, text))
        return name

    def revision(self, name: str) -> Body:
        """The state machine as it was kept under that name."""
        with self._lock:
            (text,) = self._connection.execute("SELECT body FROM revision WHERE hash = ?", (name,)).fetchone()
        found: Body = json.loads(text)
        return found
