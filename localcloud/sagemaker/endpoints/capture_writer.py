"""Captured invocations, buffered and written to S3 beside the requests, never on their path.

A file is written when its first record is LOCALCLOUD_CAPTURE_SECONDS old (60, as the service does), when it has
FILE_BYTES, when its endpoint is updated or deleted, and when the server ends. A file that S3 does not take is tried
again, with pauses, until the server ends. A server that is killed loses what is in the buffer: at most that many
seconds of records, and the files that S3 did not take.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.capture import Captured, Options, line, place
from localcloud.sagemaker.errors import ServiceError

log = logging.getLogger(__name__)
FILE_BYTES = 4 << 20
MOST_BYTES = 64 << 20
"""Of requests and answers that wait; what comes beyond that is dropped, counted, and said in the log."""
LONGEST_PAUSE_SECONDS = 30.0
CLOSE_SECONDS = 5.0


def seconds_from_environment() -> float:
    """How long a record may wait: LOCALCLOUD_CAPTURE_SECONDS, 60 unless set.

    Raises:
        SystemExit: it is not a positive number.
    """
    text = os.environ.get("LOCALCLOUD_CAPTURE_SECONDS") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SystemExit(f"Error: LOCALCLOUD_CAPTURE_SECONDS is {text!r}, and must be a positive number of seconds.")
    return seconds


@dataclass
class File:
    """Records of one variant that go into one file; `due` is when it is to be written (or tried again).

    `role` is its model's, in whose name it is written where roles are enforced.
    """

    endpoint: str
    variant: str
    options: Options
    due: float
    records: list[Captured] = field(default_factory=list)
    size: int = 0
    failures: int = 0
    place: tuple[str, str] | None = None
    role: str = ""


class CaptureWriter:
    """The buffer and the thread that writes it. All methods may be called from any thread.

    Args:
        seconds: see `seconds_from_environment`.
        clock: seconds that only go on: a clock that is set back must not hold records back.
    """

    def __init__(self, cloud: Cloud, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.dropped = 0
        self._cloud, self._clock = cloud, clock
        self._seconds = seconds_from_environment() if seconds is None else seconds
        self._open: dict[tuple[str, str, Options], File] = {}
        self._full: list[File] = []
        self._size = 0
        self._closing = False
        self._news = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, endpoint: str, variant: str, options: Options, captured: Captured, role: str = "") -> None:
        """Keep a record; returns at once."""
        with self._news:
            if self._size + captured.size > MOST_BYTES:
                self.dropped += 1
                return
            key = (endpoint, variant, options)
            file = self._open.get(key)
            if file is None:
                file = self._open[key] = File(endpoint, variant, options, self._clock() + self._seconds, role=role)
                self._news.notify()
            file.records.append(captured)
            file.size += captured.size
            self._size += captured.size
            if file.size >= FILE_BYTES:
                self._full.append(self._open.pop(key))
                file.due = self._clock()
                self._news.notify()

    def start(self) -> None:
        """Start the thread that writes what is due."""
        self._thread = threading.Thread(target=self._live, name="data capture", daemon=True)
        self._thread.start()

    def write_due(self) -> float:
        """Write the files that are due; seconds until the next one is."""
        with self._writing:
            now = self._clock()
            for file in self._take(lambda file: file.due <= now):
                self._write(file)
        with self._news:
            dues = [file.due for file in (*self._open.values(), *self._full)]
            return max(0.0, min(dues, default=self._clock() + self._seconds) - self._clock())

    def flush(self, endpoint: str | None = None) -> bool:
        """Write everything of an endpoint, or of all; whether S3 took it. What it did not take is tried again later."""
        with self._writing:
            written = [self._write(file) for file in self._take(lambda file: endpoint in (None, file.endpoint))]
        return all(written)

    def close(self) -> None:
        """Write everything and end; for CLOSE_SECONDS what S3 does not take is tried again."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread:
            self._thread.join(CLOSE_SECONDS)
        deadline = time.monotonic() + CLOSE_SECONDS
        while not self.flush() and time.monotonic() < deadline:
            time.sleep(0.5)
        if lost := sum(len(file.records) for file in self._full):
            log.error("%d captured records are lost: S3 did not take them", lost)

    def _live(self) -> None:
        while True:
            pause = self.write_due()
            with self._news:
                if self._closing:
                    return
                self._news.wait(pause)

    def _take(self, wanted: Callable[[File], bool]) -> list[File]:
        with self._news:
            chosen = [file for file in (*self._full, *self._open.values()) if wanted(file)]
            self._full = [file for file in self._full if file not in chosen]
            self._open = {key: file for key, file in self._open.items() if file not in chosen}
        return chosen

    def _write(self, file: File) -> bool:
        first = file.records[0].moment
        file.place = file.place or place(file.options.uri, file.endpoint, file.variant, first)
        bucket, key = file.place
        body = b"".join(line(captured, file.options) for captured in file.records)
        try:
            self._cloud.aws("s3", file.role).put_object(
                Bucket=bucket, Key=key, Body=body, ContentType="application/octet-stream"
            )
        except (BotoCoreError, ClientError, ServiceError) as error:
            file.failures += 1
            pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (file.failures - 1))
            log.warning("captured data of endpoint %s, again in %.0f s: %s", file.endpoint, pause, error)
            with self._news:
                file.due = self._clock() + pause
                self._full.append(file)
            return False
        with self._news:
            self._size -= file.size
            dropped, self.dropped = self.dropped, 0
        if dropped:
            log.error("%d invocations were not captured: S3 took the records before them too slowly", dropped)
        return True
