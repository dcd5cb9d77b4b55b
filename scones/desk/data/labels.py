"""What people say the pictures show: ground truth in Model Monitor's format, one object in S3 per answer.

Nobody overwrites anybody: two people at once write two objects, and of several for one record the latest counts. Undo
deletes exactly the object that was written. A picture of none of the classes has no place in ground truth, where a
quality job would fail on it: the same form under SET_ASIDE remembers that somebody has looked.
"""

from __future__ import annotations

import re
import tempfile
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitoring.analysis import ground_truth
from monitoring.analysis.capture import SUFFIXES, Tally
from project import aws, json_text
from scones.desk.data.objects import body, listed

TRUTH = "ground-truth"
SET_ASIDE = "set-aside"
NEITHER = -1
"""The label of a picture of none of the classes."""
AT_ONCE = 16


@dataclass(frozen=True)
class Given:
    """A label that was just written; `label` is the number of the class or NEITHER."""

    key: str
    event: str
    label: int


class Labels:
    """The labels for one endpoint's records. Any thread may call."""

    def __init__(self, bucket: str, endpoint: str, classes: Sequence[str]) -> None:
        self.bucket, self.classes = bucket, tuple(classes)
        self._prefixes = {TRUTH: f"{TRUTH}/{endpoint}/", SET_ASIDE: f"{SET_ASIDE}/{endpoint}/"}
        self._files: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()
        self.bad = 0

    def refresh(self) -> None:
        """Take in what others have written or taken back.

        Raises:
            SconesError: S3 refused or did not answer.
        """
        with self._lock:
            there = [one.key for prefix in self._prefixes.values() for one in listed(self.bucket, prefix)]
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
        return {event: label for _, labels in by_time for event, label in labels.items()}

    def given(self) -> list[Given]:
        """Every answer, the oldest first."""
        with self._lock:
            by_time = sorted(self._files.items(), key=lambda item: _when(item[0]))
        return [Given(key, event, label) for key, labels in by_time for event, label in labels.items()]

    def give(self, event: str, label: int, reviewer: str, now: datetime | None = None) -> Given:
        """Write one label; `event` is the record's inference id, or else its event id.

        Raises:
            SconesError: S3 refused or did not answer; nothing was written.
        """
        now = now or datetime.now(UTC)
        name = f"{now:%f}-{slug(reviewer)}-{uuid.uuid4().hex[:12]}"
        key = self._prefixes[SET_ASIDE if label == NEITHER else TRUTH] + ground_truth.key(now, name)
        with aws.explained(f"writing label s3://{self.bucket}/{key}"):
            aws.client("s3").put_object(
                Bucket=self.bucket,
                Key=key,
                Body=ground_truth.text({event: label}).encode(),
                ContentType="application/x-ndjson",
                IfNoneMatch="*",
            )
        with self._lock:
            self._files[key] = {event: label}
        return Given(key, event, label)

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
        if key.startswith(self._prefixes[SET_ASIDE]):
            found = _set_aside(key, content, tally)
        else:
            with tempfile.TemporaryDirectory() as scratch:
                path = Path(scratch) / "labels.jsonl"
                path.write_bytes(content)
                found = ground_truth.read(path, self.classes, tally)
        self.bad += tally.bad
        return found


def _set_aside(key: str, content: bytes, tally: Tally) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            found[ground_truth.event_of(json_text.parsed(line))] = NEITHER
        except (ValueError, KeyError, TypeError) as error:
            tally.bad += 1
            tally.name(f"{key}:{number}: {error}")
    return found


def _when(key: str) -> str:
    """The part of a key that tells the time, so that labels sort by it."""
    return key.split("/", 2)[2]


def slug(reviewer: str) -> str:
    """The reviewer's name as part of a key."""
    return re.sub(r"[^A-Za-z0-9]+", "-", reviewer).strip("-")[:40] or "unnamed"
