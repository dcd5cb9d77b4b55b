"""What `pip install ./localcloud` alone brings, and how long its `localcloud up` takes.

    python benchmarks/own_project.py [--runs 5]

Goals: at most 150 MB of files in site-packages, what pip compiles among them, and up in at most 2 s (the median; the
first run starts from an empty folder). Exit code 1 when a goal is missed. It needs a package index.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEGABYTES, UP_SECONDS = 150.0, 2.0
UNWANTED = {"torch", "streamlit", "sagemaker", "sagemaker-core"}


def install(folder: Path) -> Path:
    """A virtual environment with nothing but localcloud; its site-packages."""
    venv.create(folder, with_pip=False)
    source = folder.with_name("source")  # building leaves files where the source is
    shutil.copytree(ROOT / "localcloud", source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*pip, str(source), "--constraint", str(ROOT / "constraints.txt")], check=True)
    return next((folder / "lib").glob("python*/site-packages"))


def timed(*command: str | Path) -> float:
    """Seconds that a command takes as a user sees it."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Print what was measured as JSON; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        packages = install(Path(scratch, "venv"))
        size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / 1e6
        names = {one.metadata["Name"].lower() for one in distributions(path=[str(packages)])}
        command, ups = Path(scratch, "venv", "bin", "localcloud"), []
        for _ in range(options.runs):
            ups.append(timed(command, "up", "--state", Path(scratch, "state"), "--port", "0", "--sagemaker-port", "0"))
            timed(command, "down", "--state", Path(scratch, "state"))
    found = {"megabytes": round(size, 1), "up_seconds": round(statistics.median(ups), 2), "distributions": len(names)}
    print(json.dumps({**found, "unwanted": sorted(names & UNWANTED)}, indent=2))
    return int(size > MEGABYTES or found["up_seconds"] > UP_SECONDS or bool(names & UNWANTED))


if __name__ == "__main__":
    sys.exit(main())
