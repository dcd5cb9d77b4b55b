"""The labels that people gave, as the desk keeps them: each object is read once, and of several for one record the
latest counts. Undo deletes exactly the object that was written.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from monitoring.analysis.capture import SUFFIXES, Tally
from monitoring.watch import labels
from monitoring.watch.labels import AT_ONCE, Given
from project import aws
from scones.desk.data.objects import body, listed


class Labels:
    """The labels for one endpoint's records. Any thread may call."""

    def __init__(self, bucket: str, endpoint: str, classes: Sequence[str]) -> None:
        self.bucket, self.endpoint, self.classes = bucket, endpoint, tuple(classes)
        self._files: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()
        self.bad = 0

    def refresh(self) -> None:
        """Take in what others have written or taken back.

        Raises:
            SconesError: S3 refused or did not answer.
        """
        with self._lock:
            there = [one.key for prefix in labels.prefixes(self.endpoint) for one in listed(self.bucket, prefix)]
            self._files = {key: self._files[key] for key in there if key in self._files}
            fresh = [key for key in there if key not in self._files and key.endswith(SUFFIXES)]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                contents = pool.map(lambda key: body(self.bucket, key), fresh)
                for key, content in zip(fresh, contents, strict=True):
                    if content is not None:
                        self._files[key] = self._parsed(key, content)

    def all(self) -> dict[str, int]:
        """Event to number of the class, or NEITHER; of several for one event the latest."""
        with self._lock:
            by_time = sorted(self._files.items(), key=lambda item: _when(item[0]))
        return {event: label for _, said in by_time for event, label in said.items()}

    def given(self) -> list[Given]:
        """Every answer, the oldest first."""
        with self._lock:
            by_time = sorted(self._files.items(), key=lambda item: _when(item[0]))
        return [Given(key, event, label) for key, said in by_time for event, label in said.items()]

    def give(self, event: str, label: int, reviewer: str, now: datetime | None = None) -> Given:
        """Write one label; `event` is the record's inference id, or else its event id.

        Raises:
            SconesError: S3 refused or did not answer; nothing was written.
        """
        given = labels.give(self.bucket, self.endpoint, event, label, reviewer, now)
        with self._lock:
            self._files[given.key] = {event: label}
        return given

    def undo(self, given: Given) -> None:
        """Take back what `give` wrote, and nothing else.

        Raises:
            SconesError: S3 refused or did not answer; the label stands.
        """
        with aws.explained(f"deleting label s3://{self.bucket}/{given.key}"):
            aws.client("s3").delete_object(Bucket=self.bucket, Key=given.key)
        with self._lock:
            self._files.pop(given.key, None)

    def _parsed(self, key: str, content: bytes) -> dict[str, int]:
        tally = Tally()
        found = labels.read(key, content, self.classes, tally)
        self.bad += tally.bad
        return found


def _when(key: str) -> str:
    """The part of a key that tells the time, so that labels sort by it."""
    return key.split("/", 2)[2]
