"""Extract two classes out of a full-size archive: 60,000 images, compressed as the original is.

Run: python benchmarks/extraction.py [--archive PATH] [--runs 3]. Without an archive it draws one, in half a minute.
Claim: at most 6 s and 600 MB of memory at its peak, on 2 cores.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEGABYTES = 6.0, 600.0


def full_size(folder: Path) -> Path:
    """Draw a full-size archive and compress it: the sample generator only stores.

    It is drawn by another process: Linux counts what a parent once held to the peak of the children that it starts.
    """
    stored, compressed = folder / "stored.tar.gz", folder / "full-size.tar.gz"
    draw = ["-c", "from scones.cli.main import main; main()", "data", "sample", "--full-size", "--output", str(stored)]
    subprocess.run([sys.executable, *draw], check=True, stdout=subprocess.DEVNULL)
    with gzip.open(stored) as unpacked, gzip.open(compressed, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(unpacked, packed, 1 << 20)
    stored.unlink()
    return compressed


def measure(archive: Path, output: Path) -> dict[str, float]:
    """Run the job as a container would; wall-clock seconds, CPU seconds and peak resident megabytes of its process."""
    job = ["extract", "--archive", str(archive), "--classes", "bicycle,motorcycle", "--output", str(output)]
    command = [sys.executable, str(ROOT / "steps" / "run.py"), *job]
    started = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the job failed with status {status}")
    return {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
    }


def main() -> int:
    """Measure, print JSON, and exit 1 when the claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archive = options.archive or full_size(Path(scratch))
        runs = [measure(archive, Path(scratch) / f"run-{n}") for n in range(options.runs)]
        megabytes = round(archive.stat().st_size / 1e6, 1)
    best = min(run["seconds"] for run in runs)
    peak = max(run["peak_mb"] for run in runs)
    holds = best <= SECONDS and peak <= MEGABYTES
    print(
        json.dumps(
            {"archive_mb": megabytes, "runs": runs, "best_seconds": best, "peak_mb": peak, "holds": holds}, indent=2
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
