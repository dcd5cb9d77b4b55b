"""Spreading capture files over processes, with results in the order of the files and a bounded number under way."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from monitoring.analysis.capture import Tally
from project.errors import SconesError

Task = TypeVar("Task")
Found = TypeVar("Found")
Work = Callable[[Sequence[Path], Task, Tally], Iterator[Found]]

GROUP_BYTES = 8_000_000
"""How much a process reads before it is the next one's turn: a few thousand pictures of 32x32."""
UNDER_WAY = 16
"""Batches that a process may be ahead; then it waits."""
PATIENCE = 1.0
"""Seconds between two looks whether a silent process is still there."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Work[Task, Found], paths: Sequence[Path], task: Task, tally: Tally, processes: int) -> Iterator[Found]:
    """What `work(group of paths, task, tally)` yields for all `paths`, in order; one process does it in this one.

    Raises:
        SconesError: a process ended before its work did.
    """
    groups = list(_groups(paths))
    processes = min(processes, len(groups))
    if processes <= 1:
        yield from work(paths, task, tally)
        return
    context = multiprocessing.get_context("spawn")  # fork copies locks that other threads hold
    queues = [context.Queue(UNDER_WAY) for _ in range(processes)]
    children = [
        context.Process(target=_work, args=(work, groups[i::processes], task, queues[i]), daemon=True)
        for i in range(processes)
    ]
    for child in children:
        child.start()
    try:
        for number in range(len(groups)):
            turn = number % processes
            while not isinstance(result := _next(queues[turn], children[turn]), Tally):
                yield result
            tally.add(result)
    finally:
        for child in children:
            child.terminate()
        for child, results in zip(children, queues, strict=True):
            child.join()
            results.close()


def _groups(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Consecutive paths of about GROUP_BYTES in all."""
    rest = iter(paths)
    while group := list(islice(rest, 1)):
        size = group[0].stat().st_size
        while size < GROUP_BYTES and (more := next(rest, None)):
            group.append(more)
            size += more.stat().st_size
        yield group


def _work(work: Work[Any, Any], groups: Sequence[Sequence[Path]], task: Any, results: Any) -> None:
    for group in groups:
        tally = Tally()
        for batch in work(group, task, tally):
            results.put(batch)
        results.put(tally)  # the end of a group


def _next(results: Any, child: Any) -> Any:
    while True:
        try:
            return results.get(timeout=PATIENCE)
        except queue.Empty:
            if child.exitcode is not None and results.empty():
                raise SconesError(
                    f"Reading captured traffic: process {child.pid} ended with exit code {child.exitcode}.",
                    "Was memory short? Run with one process.",
                ) from None
