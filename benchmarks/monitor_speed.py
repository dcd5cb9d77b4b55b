"""How fast captured traffic is analysed, on one core and on two, and how much memory that takes.

    python benchmarks/monitor_speed.py [--records 10000] [--large 1000000] [--repeats 3]

Records are as an endpoint writes them: 32x32 PNG in base64, a JSON list of probabilities, one event id each. Every
measurement is a process of its own; the rate is per second of wall time, beside it per second of processor time, which
does not suffer from what else the machine does. Memory is the highest resident size of all processes together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitoring.analysis.analyze import analyze
from monitoring.analysis.environment import job
from scones.data import sample
from steps import png

START = datetime(2026, 5, 4, tzinfo=UTC)
PER_FILE = 1000
KINDS = (
    ("without pictures", "Disabled", 1),
    ("with pictures", "Enabled", 1),
    ("with pictures, 2 processes", "Enabled", 2),
)


def write(folder: Path, records: int) -> None:
    """Capture files of `records` records, ten a second."""
    import base64

    random = np.random.default_rng(0)
    drawn = sample.pictures({"bicycle": 250, "motorcycle": 250}, part=1, seed=5).pixels.reshape(-1, 3, 32, 32)
    pictures = [
        base64.b64encode(png.encode(np.ascontiguousarray(picture.transpose(1, 2, 0)))).decode() for picture in drawn
    ]
    for first in range(0, records, PER_FILE):
        moment = START + timedelta(seconds=first / 10)
        file = folder / f"{moment:%Y/%m/%d/%H}" / f"{moment:%M-%S}-000-{first:09d}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as stream:
            for i in range(first, min(first + PER_FILE, records)):
                best = 0.5 + 0.5 * random.beta(8, 1)
                when = f"{START + timedelta(seconds=i // 10):%Y-%m-%dT%H:%M:%SZ}"
                stream.write(
                    '{"captureData":{"endpointInput":{"observedContentType":"image/png","mode":"INPUT","data":"'
                    f'{pictures[i % len(pictures)]}","encoding":"BASE64"}},"endpointOutput":{{"observedContentType":'
                    f'"application/json","mode":"OUTPUT","data":"[{best}, {1 - best}]","encoding":"JSON"}}}},'
                    f'"eventMetadata":{{"eventId":"{UUID(int=i)}","inferenceTime":"{when}"}},"eventVersion":"0"}}\n'
                )


def measured(folder: Path, pictures: str, processes: int) -> dict[str, float]:
    """Analyse in a process of its own; records, seconds, processor seconds and megabytes."""
    command = [sys.executable, __file__, "--measure", str(folder), pictures, str(processes)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(folder: str, pictures: str, processes: str) -> None:
    """What the process of `measured` does."""
    asked = job(
        {"dataset_source": folder, "output_path": "unused", "picture_features": pictures, "processes": processes}
    )
    started, used = time.perf_counter(), _processor_seconds()
    found = analyze(asked, None)
    took, spent = time.perf_counter() - started, _processor_seconds() - used
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (int(processes) if int(processes) > 1 else 0)
    megabytes = (own + others) / 1024
    print(json.dumps({"records": found.profile.items, "seconds": took, "processor": spent, "megabytes": megabytes}))


def _processor_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="0 leaves the measurement of memory out")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", nargs=3, metavar=("FOLDER", "PICTURES", "PROCESSES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    print(f"{'':30}{'records':>10}{'per second':>12}{'spread':>10}{'per processor s':>17}{'MB':>7}")
    for records, repeats in ((options.records, options.repeats), (options.large, 1)):
        if not records:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            write(Path(temporary), records)
            for name, pictures, processes in KINDS:
                runs = [measured(Path(temporary), pictures, processes) for _ in range(repeats)]
                rates = [run["records"] / run["seconds"] for run in runs]
                own = statistics.median(run["records"] / run["processor"] for run in runs)
                spread = f"±{(max(rates) - min(rates)) / 2:,.0f}" if repeats > 1 else ""
                memory = max(run["megabytes"] for run in runs)
                print(
                    f"{name:30}{records:>10,}{statistics.median(rates):>12,.0f}{spread:>10}{own:>17,.0f}{memory:>7,.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
