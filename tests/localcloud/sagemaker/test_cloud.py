"""What the threads of the local SageMaker share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.hosting import EndpointHosting

THREADS = 8


@pytest.mark.parametrize("get", [lambda cloud: cloud.store, lambda cloud: cloud.shared(EndpointHosting)])
def test_threads_that_come_at_the_same_time_get_the_same_object(tmp_path: Path, get: Callable[[Cloud], object]) -> None:
    cloud = Cloud(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    together = threading.Barrier(THREADS)

    def identity(_: int) -> int:
        together.wait()
        return id(get(cloud))

    with ThreadPoolExecutor(THREADS) as threads:
        found = set(threads.map(identity, range(THREADS)))
    cloud.store.close()
    assert len(found) == 1
