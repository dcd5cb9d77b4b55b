"""How long one delivery takes through the inference workflow, how many a second go through, and in how much memory.

    python benchmarks/inference_workflow.py [--executions 200] [--concurrency 8]

On the local cloud, from StartExecution to the end that Step Functions records: warm executions one after the other,
then many with bounded concurrency. Memory is that of the three servers, the model's server and all functions, at its
peak: resident (pages that processes share count for each), and proportional (they count once; where the system tells).
The client runs beside them and shares the processors, as may others: processor seconds an execution say more about
the local cloud than executions a second. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from live_project import live_project, put_pictures

from localcloud import record
from project import aws
from stepfunctions import inference

WARM_SECONDS, PER_SECOND, MEMORY_MB = 0.15, 30.0, 900.0
WARM = 40


def measure(state: Path, count: int, concurrency: int) -> dict[str, Any]:
    """Seconds of a warm execution, executions and processor seconds, and the peak of memory in MB (10^6 bytes)."""
    bucket, keys = aws.names().bucket, put_pictures("benchmark/", 50)
    inference.judge_all(bucket, keys[: 4 * concurrency], 0.0, concurrency)
    alone = [inference.judge(bucket, key, 0.0) for key in keys[:WARM]]
    with Watch(state) as watch:
        started = time.perf_counter()
        together = inference.judge_all(bucket, (keys * count)[:count], 0.0, concurrency)
        elapsed = time.perf_counter() - started
    failed = [one for one in (*alone, *together) if one.outcome != "routed"]
    if failed:
        raise SystemExit(f"{len(failed)} executions failed, the first: {failed[0].error}: {failed[0].problem}")
    seconds = [one.seconds for one in alone]
    return {
        "warm": {
            "n": WARM,
            "median_seconds": round(statistics.median(seconds), 3),
            "mean_seconds": round(statistics.mean(seconds), 3),
            "standard_deviation": round(statistics.stdev(seconds), 3),
        },
        "together": {
            "n": count,
            "executions_per_second": round(count / elapsed, 1),
            "median_seconds": round(statistics.median(one.seconds for one in together), 3),
            "processor_seconds_an_execution": round(watch.processor_seconds / count, 4),
        },
        "memory_mb": {"resident": round(watch.resident), "proportional": round(watch.proportional)},
        "machine": f"{psutil.cpu_count()} processors, load {psutil.getloadavg()[0]:.1f} at the end",
    }


class Watch:
    """What the parts of the local cloud and all that they started take, between `with` and its end.

    Attributes:
        processor_seconds: of those that are there at the end.
        resident, proportional: the highest sums in MB, two looks a second; without /proc the second stays 0.
    """

    def __init__(self, state: Path) -> None:
        found = record.read(state)
        if found is None:
            raise SystemExit("the local cloud is not up")
        self.servers = [psutil.Process(part.pid) for part in found.parts.values()]
        self.processor_seconds = self.resident = self.proportional = 0.0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watch:
        self.before = self._processor_seconds()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        after = self._processor_seconds()
        self.processor_seconds = sum(seconds - self.before.get(pid, 0.0) for pid, seconds in after.items())

    def _processes(self) -> list[psutil.Process]:
        return [one for server in self.servers for one in (server, *server.children(recursive=True))]

    def _processor_seconds(self) -> dict[int, float]:
        found = {}
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
        return found

    def _watch(self) -> None:
        while not self.done.wait(0.5):
            resident = proportional = 0
            for process in self._processes():
                with suppress(psutil.NoSuchProcess):
                    memory = process.memory_full_info()
                    resident, proportional = resident + memory.rss, proportional + getattr(memory, "pss", 0)
            self.resident = max(self.resident, resident / 1e6)
            self.proportional = max(self.proportional, proportional / 1e6)


def main() -> int:
    """Print the numbers as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args()
    with live_project() as state:
        found = measure(state, options.executions, options.concurrency)
    print(json.dumps(found, indent=2))
    warm, together, memory = found["warm"], found["together"], found["memory_mb"]
    missed = warm["median_seconds"] > WARM_SECONDS or together["executions_per_second"] < PER_SECOND
    return int(missed or (memory["proportional"] or memory["resident"]) > MEMORY_MB)


if __name__ == "__main__":
    sys.exit(main())
