"""What the threads of the local SageMaker share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localcloud.sagemaker.cloud import Cloud

THREADS = 8


@pytest.mark.parametrize("shared", ["store", "hosting"])
def test_threads_that_come_at_the_same_time_get_the_same_object(tmp_path: Path, shared: str) -> None:
    cloud = Cloud(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    together = threading.Barrier(THREADS)

    def get(_: int) -> int:
        together.wait()
        return id(getattr(cloud, shared))

    with ThreadPoolExecutor(THREADS) as threads:
        found = set(threads.map(get, range(THREADS)))
    cloud.store.close()
    assert len(found) == 1
