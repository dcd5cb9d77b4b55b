"""How many pictures a second the batch workflow routes, from a prefix in S3 to the summary in S3.

    python benchmarks/batch_workflow.py [--images 1000] [--runs 3]

On the local cloud, from StartExecution to the end that Step Functions records, listing and summary included. The first
run starts the functions' processes; the median of all runs counts. Exit code 1 when the goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from live_project import live_project, put_pictures

from stepfunctions import executions, inference

PER_SECOND = 60.0


def measure(images: int, runs: int) -> dict[str, object]:
    """Pictures per second of each run, and their median."""
    put_pictures("benchmark/", images)
    rates = []
    for _ in range(runs):
        end = executions.wait_until_ended(inference.start_batch("benchmark/", 0.0))
        executions.raise_unless_succeeded(end, "The batch")
        if end.output["counts"]["routed"] != images:
            raise SystemExit(f"not every picture was routed: {end.output['counts']}")
        rates.append(round(images / end.seconds, 1))
    return {"images_per_second": statistics.median(rates), "runs": rates}


def main() -> int:
    """Print the rates as JSON; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with live_project():
        found = measure(options.images, options.runs)
    print(json.dumps(found, indent=2))
    return int(float(str(found["images_per_second"])) < PER_SECOND)


if __name__ == "__main__":
    sys.exit(main())
