"""How long the commands take that people wait for: `python benchmarks/commands.py [--demo]`.

Whole processes, from start to exit, as wall seconds and as processor seconds of the process and what it waited for
(processor seconds move less on a busy machine). Prints JSON; exit code 1 if a goal is missed. `--demo` also runs
`scones demo`, in a state folder of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SCONES = Path(sys.executable).with_name("scones")
GOALS = {"--help": 0.3, "show": 4.0, "demo": 150.0}  # wall seconds on two cores


def timed(*words: str) -> tuple[float, float]:
    """(wall, processor) seconds of one run of `scones <words>`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([SCONES, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(runs: int, *words: str) -> dict[str, Any]:
    """Medians and ranges over `runs` runs, after one that is not counted if there are several."""
    if runs > 1:
        timed(*words)
    walls, processors = zip(*(timed(*words) for _ in range(runs)), strict=True)
    return {
        "command": f"scones {words[0]}",
        "n": runs,
        "wall_s": {"median": round(statistics.median(walls), 2), "range": [round(min(walls), 2), round(max(walls), 2)]},
        "processor_s": round(statistics.median(processors), 2),
        "goal_wall_s": GOALS.get(words[0]),
    }


def main() -> int:
    """Measure, print, and compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--demo", action="store_true", help="measure the demo as well, once")
    options = parser.parse_args()
    results = [measured(options.runs, word) for word in ("--help", "show", "check")]
    if options.demo:
        with tempfile.TemporaryDirectory() as state:
            results.append(measured(1, "demo", "--state", state))
    load = os.getloadavg()[0]
    print(json.dumps({"processors": os.cpu_count(), "load_at_end": round(load, 1), "results": results}, indent=2))
    missed = [r for r in results if r["goal_wall_s"] and r["wall_s"]["median"] > r["goal_wall_s"]]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
