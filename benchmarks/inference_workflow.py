"""How long one delivery takes through the inference workflow, how many a second go through, and in how much memory.

    python benchmarks/inference_workflow.py [--executions 200] [--concurrency 8]

On the local cloud, from StartExecution to the end that Step Functions records: warm executions one after the other,
then many with bounded concurrency. Memory is the peak of Step Functions, Lambda and all functions' processes together.
The client runs beside them and shares the processors. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from pathlib import Path

import psutil
from live_project import live_project, put_pictures

from localcloud import record
from project import aws
from stepfunctions import inference

WARM_SECONDS, PER_SECOND, MEMORY_MB = 0.6, 12.0, 1000.0
WARM = 20


def measure(state: Path, count: int, concurrency: int) -> dict[str, float]:
    """Median seconds of a warm execution, executions per second, and the peak of memory in MB."""
    bucket, keys = aws.names().bucket, put_pictures("benchmark/", 50)
    inference.judge_all(bucket, keys[: 4 * concurrency], 0.0, concurrency)
    alone = [inference.judge(bucket, key, 0.0) for key in keys[:WARM]]
    with peak_memory(state) as memory:
        started = time.perf_counter()
        together = inference.judge_all(bucket, (keys * count)[:count], 0.0, concurrency)
        elapsed = time.perf_counter() - started
    failed = [one for one in (*alone, *together) if one.outcome != "routed"]
    if failed:
        raise SystemExit(f"{len(failed)} executions failed, the first: {failed[0].error}: {failed[0].problem}")
    return {
        "warm_seconds": round(statistics.median(one.seconds for one in alone), 3),
        "executions_per_second": round(count / elapsed, 1),
        "median_seconds_together": round(statistics.median(one.seconds for one in together), 3),
        "peak_memory_mb": round(memory.peak),
    }


class peak_memory:  # noqa: N801 - read as a statement: with peak_memory(...)
    """The highest sum of resident memory of MiniStack, Step Functions and what they started, in MB, ten looks a s."""

    def __init__(self, state: Path) -> None:
        found = record.read(state)
        if found is None:
            raise SystemExit("the local cloud is not up")
        self.servers = [psutil.Process(found.parts[name].pid) for name in ("ministack", "stepfunctions")]
        self.peak = 0.0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> peak_memory:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.done.wait(0.1):
            total = 0
            children = [child for server in self.servers for child in server.children(recursive=True)]
            for process in (*self.servers, *children):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total / 1e6)


def main() -> int:
    """Print the numbers as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args()
    with live_project() as state:
        found = measure(state, options.executions, options.concurrency)
    print(json.dumps(found, indent=2))
    missed = found["warm_seconds"] > WARM_SECONDS or found["executions_per_second"] < PER_SECOND
    return int(missed or found["peak_memory_mb"] > MEMORY_MB)


if __name__ == "__main__":
    sys.exit(main())
