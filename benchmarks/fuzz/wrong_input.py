"""Sends wrong requests and definitions to the local SageMaker, and counts those that make it fail.

    python benchmarks/fuzz/wrong_input.py [--seed 1] [--requests 20000] [--definitions 10000] [--runs 100]

The same seed sends the same. Prints the counts as JSON, then each failure with how often it came. Exit code 1 when
there is one. What is sent, and the short run of the tests: tests/support/mutations.py and wrong_input.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

import pytest
from engine_support import install, world_on
from wrong_input import faults_of_definitions, faults_of_requests

from localcloud.sagemaker import operations


def main() -> int:
    """Run both searches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--definitions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100, help="so many definitions that are taken are run")
    options = parser.parse_args()
    operations.load()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        with world_on(Path(folder) / "requests") as world:
            requests = faults_of_requests(world, options.seed, options.requests)
        with pytest.MonkeyPatch.context() as patch, world_on(Path(folder) / "definitions") as world:
            install(patch, lambda cloud: world)
            definitions, ran = faults_of_definitions(world, options.seed, options.definitions, options.runs)
    found = requests + definitions
    print(
        json.dumps(
            {
                "seed": options.seed,
                "requests": options.requests,
                "definitions": options.definitions,
                "definitions_that_ran": ran,
                "failures": sum(found.values()),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )
    for said, count in found.most_common():
        print(f"{count:6} {said}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
