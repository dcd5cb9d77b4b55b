"""Labels joined with the captured requests that they are for: which picture, what was answered, and what people say.

Jobs do not travel with this module.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monitoring.analysis import capture
from monitoring.analysis.capture import Record, Tally
from monitoring.watch import files
from project import s3
from project.progress import progress

AT_ONCE = 8
"""Capture files that are fetched side by side."""


def find(uri: str, events: Collection[str], classes: Sequence[str], tally: Tally) -> Iterator[tuple[str, Record]]:
    """The captured records that `events` name, each with its name: an inference id counts before an event id.

    Files are read from the newest on, until every event is found. Classes say how many probabilities an answer has.

    Raises:
        CloudError: S3 refused or cannot be reached.
    """
    waiting, seen = set(events), set[str]()
    bucket, _ = s3.split(uri.rstrip("/"))
    keys = sorted((str(one["Key"]) for one in files.captured(uri)), key=_hour, reverse=True) if waiting else []
    with progress() as show, tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(keys), AT_ONCE):
            if not waiting:
                return
            show("Looking for the labelled deliveries", f"{start} of {len(keys)} captured files", start, len(keys))
            chosen = keys[start : start + AT_ONCE]
            paths = [Path(scratch) / f"{number}.jsonl" for number in range(len(chosen))]
            list(pool.map(s3.download, (f"s3://{bucket}/{key}" for key in chosen), paths))
            for record in capture.read(paths, tally, classes=len(classes)):
                name = next((one for one in (record.inference_id, record.event_id) if one and one in events), None)
                if name is not None and record.event_id not in seen:
                    seen.add(record.event_id)
                    waiting.discard(name)
                    yield name, record
            for path in paths:
                path.unlink()


def _hour(key: str) -> str:
    """The part of a key that tells the time: what follows endpoint and variant."""
    return key.split("/", 3)[-1]
