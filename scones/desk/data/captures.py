"""Captured traffic, read file by file while people already look at it: newest first, each file once.

`Feed.table` is what is known so far; a thread keeps it fresh. Files that were read before come from the cache.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.analysis.capture import HOUR_FOLDER, SUFFIXES
from monitoring.analysis.duplicates import Seen
from project.errors import SconesError
from scones.desk.data import records
from scones.desk.data.file_cache import FileCache
from scones.desk.data.objects import Listed, body, folders, listed
from scones.desk.data.records import Parsed, Records, Table

MOST_RECORDS = 500_000
"""Kept in memory (about 200 bytes each); of more, the oldest files are left out, and it is said."""
AT_ONCE = 4
"""Files fetched side by side; S3's answers take longer than reading them."""
PUBLISH_SECONDS = 1.0
"""How often a long reading shows what it has: each time all of it is put in order."""
STAND_BACK_SECONDS = 2.0
"""How long reading stands back for pages, at most: many visitors together must not stop it."""
INTERVAL_SECONDS = 5.0
LATE = timedelta(hours=3)
"""Files are named by their first record and written later; what is older than this was listed before."""
PROBLEMS = 50

Fetch = Callable[[str, str], bytes | None]
"""Bucket and key to content, or None when it is gone."""


class Feed:
    """The captured traffic of one endpoint.

    Args:
        prefix: where its capture files lie, `<prefix><variant>/yyyy/mm/dd/hh/`; ends with a slash.
        classes: names of the classes, in order.
        cache: folder of the cache on disk, or None for none.
        fetch: how a file's content is got; S3 unless a test or benchmark says otherwise.

    Attributes:
        problem: why the last look at S3 failed, or None.
        looked: when S3 was last looked at with success, seconds since 1970; None before that.
    """

    def __init__(
        self, bucket: str, prefix: str, classes: Sequence[str], cache: Path | None = None, fetch: Fetch = body
    ) -> None:
        self.bucket, self.prefix, self.classes = bucket, prefix, tuple(classes)
        self.problem: SconesError | None = None
        self.looked: float | None = None
        self._fetch = fetch
        self._cache = FileCache(cache, bucket, len(self.classes))
        self._table = Table()
        self._read: dict[str, Parsed] = {}
        self._held = 0
        self._left_out: set[str] = set()
        self._seen = Seen()
        self._newest: dict[str, str] = {}
        self._refreshing = threading.Lock()
        self._news = threading.Condition()
        self._drawing = self._waiting = 0
        self._begun = time.monotonic()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def table(self) -> Table:
        """What was read so far; it never changes, a later one takes its place."""
        return self._table

    def start(self) -> None:
        """Keep the table fresh in a thread."""
        self._thread = threading.Thread(target=self._live, name="captured traffic", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and release the cache."""
        self._closing.set()
        if self._thread:
            self._thread.join()
        self._cache.close()

    def wait(self, seconds: float) -> Table:
        """The table, once all was read or after `seconds`; later than that after the start, what there is counts."""
        with self._news:
            self._waiting += 1
            self._news.notify_all()
            self._news.wait_for(lambda: self.problem or self._is_worth_showing(seconds), seconds)
            self._waiting -= 1
        return self._table

    def _is_worth_showing(self, seconds: float) -> bool:
        if self.looked and not self._table.unread:
            return True
        return len(self._table.records) > 0 and time.monotonic() > self._begun + seconds

    @contextmanager
    def standing_back(self) -> Iterator[None]:
        """Begin no further file while a page is drawn inside: both would share one interpreter."""
        with self._news:
            self._drawing += 1
        try:
            yield
        finally:
            with self._news:
                self._drawing -= 1
                self._news.notify_all()

    def refresh(self) -> Table:
        """List what is there and read what is new.

        Raises:
            SconesError: S3 refused or did not answer.
        """
        with self._refreshing:
            fresh = self._fresh()
            known = self._cache.get({one.key: one.etag for one in fresh})
            self._add({one.key: known[one.key] for one in fresh if one.key in known})
            waiting = [one for one in fresh if one.key not in known]
            self._publish(len(waiting))
            published = time.monotonic()
            for done in range(0, len(waiting), AT_ONCE):
                self._add(self._new(waiting[done : done + AT_ONCE]))
                if self._closing.is_set():
                    return self._table
                if time.monotonic() - published >= PUBLISH_SECONDS:
                    self._publish(max(0, len(waiting) - done - AT_ONCE))
                    published = time.monotonic()
            self.looked = time.time()
            self._publish(0)
        return self._table

    def picture(self, key: str, offset: int, length: int) -> bytes:
        """The picture of the record that lies there.

        Raises:
            ValueError: there is none, or its file is gone; the text says why.
            SconesError: S3 refused or did not answer.
        """
        if key.endswith(".gz"):
            content = self._fetch(self.bucket, key)
            line = records.uncompressed(content)[0][offset : offset + length] if content else None
        else:
            line = body(self.bucket, key, offset, length)
        if line is None:
            raise ValueError("the captured file is gone")
        return records.picture(line)

    def pictures(self, chosen: Records, files: Sequence[str]) -> list[bytes | None]:
        """The pictures of many records, each of their files fetched once; None for one that has none.

        Raises:
            SconesError: S3 refused or did not answer.
        """
        keys = [files[number] for number in chosen["file"]]
        needed = sorted(set(keys))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            contents = dict(zip(needed, pool.map(lambda key: self._fetch(self.bucket, key), needed), strict=True))
        lines = {key: records.uncompressed(content)[0] for key, content in contents.items() if content}
        return [_picture_at(lines.get(key), one) for key, one in zip(keys, chosen, strict=True)]

    def _live(self) -> None:
        while not self._closing.is_set():
            try:
                self.refresh()
                self.problem = None
            except SconesError as error:
                self.problem = error  # every page shows it
                with self._news:
                    self._news.notify_all()
            self._closing.wait(INTERVAL_SECONDS)

    def _fresh(self) -> list[Listed]:
        """Files not met before, newest first. Only the first listing of a variant is a whole one."""
        found = []
        for variant in folders(self.bucket, self.prefix):
            prefix = f"{self.prefix}{variant}/"
            here = [one for one in listed(self.bucket, prefix, self._after(prefix)) if one.key.endswith(SUFFIXES)]
            if here:
                self._newest[prefix] = max(self._newest.get(prefix, ""), here[-1].key)
            found += [one for one in here if one.key not in self._read and one.key not in self._left_out]
        return sorted(found, key=lambda one: one.key.removeprefix(self.prefix).partition("/")[2], reverse=True)

    def _after(self, prefix: str) -> str:
        newest = HOUR_FOLDER.search("/" + self._newest.get(prefix, ""))
        if not newest:
            return ""
        hour = datetime(*(int(part) for part in newest.groups())) - LATE  # type: ignore[arg-type]  # four numbers
        return f"{prefix}{hour:%Y/%m/%d/%H}"

    def _new(self, files: Sequence[Listed]) -> dict[str, Parsed]:
        """Fetch and read some files; one that is gone meanwhile is left for the next listing."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            contents = list(pool.map(lambda one: self._fetch(self.bucket, one.key), files))
        found = []
        for one, content in zip(files, contents, strict=True):
            if content is not None:
                self._stand_back()
                found.append((one.key, one.etag, records.parsed(content, one.key, self.classes)))
        self._stand_back()
        self._cache.put(found)
        return {key: parsed for key, _, parsed in found}

    def _stand_back(self) -> None:
        """Wait until no page is being drawn; one that itself waits for traffic does not count."""
        with self._news:
            self._news.wait_for(lambda: self._drawing <= self._waiting, STAND_BACK_SECONDS)

    def _add(self, files: dict[str, Parsed]) -> None:
        """Take files in, newest first, each event once, until there are as many as are kept."""
        for key, parsed in files.items():
            if self._held >= MOST_RECORDS:
                self._left_out.add(key)
                continue
            once = self._seen.first([event.decode("utf-8", "replace") for event in parsed.records["event"].tolist()])
            kept = parsed.records if once.all() else parsed.records[once]
            self._read[key] = Parsed(kept, parsed.bad, parsed.faults, parsed.problems)
            self._held += len(kept)

    def _publish(self, unread: int) -> None:
        old = self._table
        if len(old.files) == len(self._read):
            self._table = replace(old, unread=unread, left_out=len(self._left_out))
        else:
            self._table = self._gathered(unread)
        with self._news:
            self._news.notify_all()

    def _gathered(self, unread: int) -> Table:
        read = list(self._read.items())
        return Table(
            records=_joined([parsed.records for _, parsed in read]),
            files=tuple(key for key, _ in read),
            variants=tuple(records.variant_of(key) for key, _ in read),
            bad=sum(parsed.bad for _, parsed in read),
            faults=sum(parsed.faults for _, parsed in read),
            problems=tuple(islice((problem for _, parsed in read for problem in parsed.problems), PROBLEMS)),
            unread=unread,
            left_out=len(self._left_out),
        )


def _picture_at(content: bytes | None, record: Any) -> bytes | None:
    try:
        return records.picture(content[record["offset"] : record["offset"] + record["length"]]) if content else None
    except (ValueError, KeyError):
        return None


def _joined(parts: Sequence[Records]) -> Records:
    """All records by time; `file` of each says which of the parts it is of."""
    if not parts:
        return records.EMPTY
    whole = np.concatenate(parts)
    whole["file"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return whole[np.argsort(whole["time"], kind="stable")]
