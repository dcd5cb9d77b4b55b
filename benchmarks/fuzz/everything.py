"""Sends everything that can be wrong to whoever reads it, and counts what is neither an answer nor a refusal.

    python benchmarks/fuzz/everything.py [--seed 1] [--scale 1] [--only captures]

One row a kind: how many inputs, how many with a wrong outcome, seconds. The same seed sends the same; `--scale 1` are
100,000 inputs. Then what inputs of a megabyte cost. Exit code 1 when anything is wrong. What is sent, and the short
runs of the tests: tests/support/wrong_*.py, damaged_files.py, costly_input.py.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

import costly_input
import pytest
from damaged_files import faults_of_archives, faults_of_captures, faults_of_pictures
from engine_support import install, world_on
from wrong_events import faults_of_events
from wrong_http import faults_of_http
from wrong_input import faults_of_definitions, faults_of_requests
from wrong_settings import faults_of_parameters, faults_of_settings

from localcloud.sagemaker import operations

Search = Callable[[int, int], Counter[str]]


def _requests(seed: int, count: int) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder, world_on(Path(folder) / "world") as world:
        return faults_of_requests(world, seed, count)


def _definitions(seed: int, count: int) -> Counter[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        world_on(Path(folder) / "world") as world,
    ):
        install(patch, lambda cloud: world)
        return faults_of_definitions(world, seed, count, runs=count // 100)[0]


SEARCHES: dict[str, tuple[Search, int]] = {
    "requests to the local SageMaker": (_requests, 20_000),
    "definitions of pipelines": (_definitions, 10_000),
    "HTTP to its port": (faults_of_http, 5_000),
    "events of functions": (faults_of_events, 20_000),
    "pictures": (faults_of_pictures, 15_000),
    "captures and labels": (faults_of_captures, 15_000),
    "archives": (faults_of_archives, 3_000),
    "settings": (faults_of_settings, 6_000),
    "parameters": (faults_of_parameters, 6_000),
}
"""Each kind's search, and how many inputs it has of 100,000."""


def main() -> int:
    """Run all searches, print the table, and then each failure with how often it came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="1 are 100,000 inputs")
    parser.add_argument("--only", choices=[name.split()[0] for name in SEARCHES] + ["cost"])
    options = parser.parse_args()
    operations.load()
    found, inputs = Counter[str](), 0
    where = f"{platform.machine()}, Python {platform.python_version()}"
    print(f"seed {options.seed}, {where}, {datetime.now(UTC):%Y-%m-%d}")
    for name, (search, share) in SEARCHES.items():
        if options.only not in (None, name.split()[0]):
            continue
        began, count = time.monotonic(), max(1, int(share * options.scale))
        wrong = search(options.seed, count)
        _print_row(name, count, sum(wrong.values()), time.monotonic() - began)
        found, inputs = found + Counter({f"{name}: {said}": times for said, times in wrong.items()}), inputs + count
    print(f"{'together':32} {inputs:8} inputs {sum(found.values()):6} wrong", flush=True)
    if options.only in (None, "cost"):
        found += _costs()
    for said, count in found.most_common():
        print(f"{count:6} {said}".encode("ascii", "backslashreplace").decode())
    return 1 if found else 0


def _costs() -> Counter[str]:
    """The most that inputs of a megabyte or less cost each reader, in MB of memory; those that cost too much."""
    wrong = Counter[str]()
    for reader, (inputs, _) in costly_input.READERS.items():
        costs = {name: costly_input.measured(reader, name) for name in inputs}
        worst = max(costs, key=lambda name: costs[name]["mb"])
        print(f"{reader:32} {costs[worst]['mb']:8} MB at most, of {len(costs)} inputs: {worst}", flush=True)
        wrong.update(f"{reader}: {name}: {cost}" for name, cost in costs.items() if costly_input.is_wrong(cost))
    return wrong


def _print_row(name: str, inputs: int, wrong: int, seconds: float) -> None:
    print(f"{name:32} {inputs:8} inputs {wrong:6} wrong {seconds:8.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
