"""A job's log, sent to CloudWatch Logs while it grows.

The log itself is a file in the job's folder, which the process writes to directly: no reader can hold it up, and the
file is whole whatever happens to this server. CloudWatch gets whole lines, a batch about every second and the rest at
the end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud

log = logging.getLogger(__name__)
INTERVAL_SECONDS = 1.0
FLUSH_SECONDS = 5.0
BATCH_EVENTS = 1_000
BATCH_BYTES = 500_000
"""Half of what PutLogEvents takes (1,048,576 bytes), which leaves room for the 26 bytes it counts for each event."""
LINE_CHARACTERS = 60_000


@contextmanager
def ship_job_logs(cloud: Cloud, kind: str, name: str, paths: Mapping[str, Path]) -> Iterator[None]:
    """Send what a job's instances append to their files during the block to streams of `/aws/sagemaker/<kind>s`.

    The streams are `<name>/<instance, such as algo-1>-<epoch>`.
    """
    with ExitStack() as stack:
        for host, path in paths.items():
            stream = f"{name}/{host}-{int(time.time())}"
            stack.enter_context(ship_log(cloud, f"/aws/sagemaker/{kind}s", stream, path))
        yield


@contextmanager
def ship_log(cloud: Cloud, group: str, stream: str, path: Path) -> Iterator[None]:
    """Send what is appended to the file during the block to a log stream, which is made.

    When CloudWatch Logs cannot be reached that is logged, once, and the work goes on; one that does not answer holds up
    the end of the block for FLUSH_SECONDS at most.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_ship, args=(cloud, group, stream, path, done), name=f"log of {stream}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(FLUSH_SECONDS)


def _ship(cloud: Cloud, group: str, stream: str, path: Path, done: threading.Event) -> None:
    try:
        client = cloud.aws("logs")
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=group)
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        with path.open("rb") as file:
            last = False
            while not last:
                last = done.wait(INTERVAL_SECONDS)
                while events := _batch(file, last):
                    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    except (BotoCoreError, ClientError, OSError) as error:  # the folder may be gone before a slow start of this thread
        log.warning("the log of %s is only in %s: %s", stream, path, error)


def _batch(file: Any, last: bool) -> list[dict[str, Any]]:
    """The next whole lines as log events; at the end also a last line without its newline."""
    now = int(time.time() * 1000)
    events: list[dict[str, Any]] = []
    size = 0
    while size < BATCH_BYTES and len(events) < BATCH_EVENTS:
        start = file.tell()
        line = file.readline(LINE_CHARACTERS)
        if not line or not (last or line.endswith(b"\n") or len(line) == LINE_CHARACTERS):
            file.seek(start)
            break
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        size += len(line)
        events.append({"timestamp": now, "message": text or " "})
    return events
