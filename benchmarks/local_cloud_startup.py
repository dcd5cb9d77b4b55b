"""How long `scones local up` and `down` take, and what the servers hold in memory at rest.

    python benchmarks/local_cloud_startup.py [--runs 5]

Goals: up in at most 5 s, the local SageMaker at most 150 MB at rest. Exit code 1 when a goal is missed. The first run
starts from an empty state folder, the others from the one before; the medians count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCONES = Path(sys.executable).with_name("scones")
UP_SECONDS = 5.0
SAGEMAKER_MB = 150.0


def timed(*words: str | Path) -> float:
    """Seconds that `scones <words>` takes as a user sees it, Python's start included."""
    start = time.perf_counter()
    subprocess.run([SCONES, *words], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(runs: int, state: Path) -> dict[str, float]:
    """Medians over `runs` times up and down."""
    ups, downs, memory = [], [], []
    for _ in range(runs):
        ups.append(timed("local", "up", "--state", state, "--port", "0", "--sagemaker-port", "0"))
        try:
            status = subprocess.run(
                [SCONES, "local", "status", "--json", "--state", state], check=True, capture_output=True
            )
            memory.append({part["part"]: part["memory_mb"] for part in json.loads(status.stdout)})
        finally:
            downs.append(timed("local", "down", "--state", state))
    return {
        "up_seconds": round(statistics.median(ups), 2),
        "down_seconds": round(statistics.median(downs), 2),
        "ministack_mb": statistics.median(found["ministack"] for found in memory),
        "sagemaker_mb": statistics.median(found["sagemaker"] for found in memory),
    }


def main() -> int:
    """Print the medians as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.runs, Path(folder) / "state")
    print(json.dumps(found, indent=2))
    return int(found["up_seconds"] > UP_SECONDS or found["sagemaker_mb"] > SAGEMAKER_MB)


if __name__ == "__main__":
    sys.exit(main())
