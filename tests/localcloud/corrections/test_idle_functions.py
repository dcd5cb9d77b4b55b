"""Processes of functions that nobody calls end once there are many, the longest idle first, and busy ones never."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker

from localcloud.corrections import idle_functions

CONFIG = {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:any", "Runtime": "python3.12"}


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Six processes, of the first function four and of another two, called one after the other."""
    monkeypatch.setenv("LAMBDA_ACCOUNT_CONCURRENCY", "2")  # four are kept
    started, pools = [], {"first": [], "second": []}  # type: tuple[list[subprocess.Popen[bytes]], dict[str, list[Worker]]]
    for number in range(6):
        worker = Worker("any", CONFIG, b"")
        worker._proc = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        worker.last_used = float(number)
        pools["first" if number < 4 else "second"].append(worker)
        started.append(worker._proc)
    monkeypatch.setattr(lambda_runtime, "_workers", pools)
    yield started
    for process in started:
        process.kill()
        process.wait()


def running(processes: list[subprocess.Popen[bytes]]) -> list[int]:
    return [number for number, process in enumerate(processes) if process.poll() is None]


def test_the_longest_idle_end_first(processes: list[subprocess.Popen[bytes]]) -> None:
    idle_functions.end_idle(100.0)
    for process in processes[:2]:
        process.wait(timeout=30)
    assert running(processes) == [2, 3, 4, 5]
    assert [len(pool) for pool in lambda_runtime._workers.values()] == [2, 2]


def test_neither_a_busy_one_ends_nor_one_that_was_called_just_now(processes: list[subprocess.Popen[bytes]]) -> None:
    lambda_runtime._workers["first"][0].in_use = True
    idle_functions.end_idle(1.5 + idle_functions.IDLE_SECONDS)  # only 0 and 1 were called longer ago
    processes[1].wait(timeout=30)
    assert running(processes) == [0, 2, 3, 4, 5]
