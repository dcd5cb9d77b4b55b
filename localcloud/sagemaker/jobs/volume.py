"""A job's disk is as large as its request says: VolumeSizeInGB for each instance, which /opt/ml and /tmp lie on.

An ordinary user cannot give a folder a size, so the folders are measured while the job runs, and one that has outgrown
its volume is ended. On AWS the write itself fails ("No space left on device"). What the job installs is not on it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.sagemaker.jobs.folder import Folder

GIGABYTE = 1 << 30
LOOK_SECONDS = 0.5
SHARE = 0.02
"""Of the time, at most, that is spent on measuring."""


def volume_bytes(request: dict[str, Any]) -> int:
    """How large the disk of each instance is; 0 if the request does not say."""
    cluster = request.get("ProcessingResources", {}).get("ClusterConfig") or request.get("ResourceConfig", {})
    return int(cluster.get("VolumeSizeInGB") or 0) * GIGABYTE


def used_bytes(folders: Sequence[Path]) -> int:
    """What lies below these folders takes of the disk; what vanishes or cannot be read meanwhile is left out."""
    total = 0
    for parent, _, names in (found for folder in folders for found in os.walk(folder)):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_blocks * 512
            except OSError:
                continue
    return total


@contextmanager
def watched(folders: Sequence[Folder], limit: int, full: Callable[[str], None]) -> Iterator[None]:
    """Measure the disks of instances during the block; `full` is told, once, which one is. Without a limit nothing."""
    over = threading.Event()

    def watch() -> None:
        pause = LOOK_SECONDS
        while not over.wait(pause):
            began = time.monotonic()
            for folder in folders:
                used = used_bytes(folder.volume)
                if used > limit:
                    full(
                        f"the disk of {folder.host} is full: /opt/ml, /tmp and the home folder hold "
                        f"{used / GIGABYTE:.1f} GB, and VolumeSizeInGB is {limit // GIGABYTE}"
                    )
                    return
            pause = max(LOOK_SECONDS, (time.monotonic() - began) / SHARE)

    if limit:
        threading.Thread(target=watch, name="disks of a job", daemon=True).start()
    try:
        yield
    finally:
        over.set()
