"""How long the dashboard lets people wait at 100,000 captured records, and how much memory it takes.

    python benchmarks/operations_desk.py [--records N] [--rounds N] [--page-seconds 2] [--interaction-seconds 1]
                                         [--megabytes 600]

A local cloud gets that many records in files of the size that an endpoint writes. Then the server's part alone, in a
process of its own and with Streamlit's harness: with nothing known (cold) and in a second process (warm). Last, where
there is a Chromium, `scones dashboard` itself: each page's first view and what people mainly do there, by visitors who
have never been here. For each the median and the longest, the median of processor seconds, and the load average of the
machine, which all of the others depend on. Exit code 1 if a median is beyond its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import desk_browser
from desk_traffic import PROJECT, fill

from localcloud import up

VISIT = Path(__file__).with_name("desk_visit.py")


def main() -> int:
    """Fill a cloud, look at it, and hold what was measured against the limits."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="visitors in the browser")
    parser.add_argument("--page-seconds", type=float, default=2.0)
    parser.add_argument("--interaction-seconds", type=float, default=1.0)
    parser.add_argument("--megabytes", type=float, default=600.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        running = up.start(folder / "state", port=0, sagemaker_port=0)
        try:
            settings = folder / "scones.toml"
            settings.write_text(f'project = "{PROJECT}"\n', encoding="utf-8")
            cloud = up.environment(running)
            environment = {**os.environ, **cloud, "SCONES_SETTINGS": str(settings), "OMP_NUM_THREADS": "1"}
            environment |= {"SCONES_DASHBOARD_CACHE": str(folder / "cache"), "SCONES_DASHBOARD_CHANGES": "1"}
            fill(cloud["AWS_ENDPOINT_URL"], cloud["AWS_ENDPOINT_URL_SAGEMAKER"], asked.records)
            print(f"{asked.records:,} captured records, {os.cpu_count()} processors")
            late = [alone(environment, start, asked) for start in ("cold", "warm")]
            if desk_browser.browser():
                late.append(in_browser(environment, folder, asked))
        finally:
            up.stop(folder / "state")
    return int(any(late))


def alone(environment: dict[str, str], start: str, asked: argparse.Namespace) -> bool:
    """The server's part in a new process; whether a limit was passed."""
    command = [sys.executable, str(VISIT), str(asked.records)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, list[tuple[float, float]]] = json.loads(done.stdout)
    print(f"\nThe server alone, {start}; load {os.getloadavg()[0]:.1f}")
    print(f"{'':36}{'n':>3}" + "".join(f"{column:>9}" for column in ("median", "longest", "server")))
    late = []
    for name, pairs in found.items():
        wall = [seconds for seconds, _ in pairs]
        print(f"{name:36}{len(wall):3}{_columns(wall, [cpu for _, cpu in pairs])}", end="")
        late.append(beyond(name, wall, asked))
    return any(late)


def in_browser(environment: dict[str, str], folder: Path, asked: argparse.Namespace) -> bool:
    """Pages in a browser; whether a limit was passed."""
    found = desk_browser.measured(environment, folder / "cold", folder, asked.records, asked.rounds)
    print(f"\n`scones dashboard` in Chromium\n{'':36}{'n':>3}", end="")
    print("".join(f"{column:>9}" for column in ("median", "longest", "server", "browser")), " load")
    late = []
    for name, took in found.items():
        wall = [one.server if "mega" in name else one.seconds for one in took]
        cpu = [one.server for one in took], [one.browser for one in took]
        loads = [one.load for one in took]
        print(f"{name:36}{len(wall):3}{_columns(wall, *cpu)}  {min(loads):.1f} to {max(loads):.1f}", end="")
        late.append(beyond(name, wall, asked))
    return any(late)


def _columns(wall: Sequence[float], *cpu: Sequence[float]) -> str:
    return "".join(f"{value:9.3g}" for value in (median(wall), max(wall), *(median(one) for one in cpu)))


def beyond(name: str, values: Sequence[float], asked: argparse.Namespace) -> bool:
    """Whether the median is beyond its limit; ends the row of the table with that."""
    limit = None
    if "mega" in name:
        limit = asked.megabytes
    elif "everything" not in name:
        limit = asked.page_seconds if name.startswith("first page") else asked.interaction_seconds
    late = limit is not None and median(values) > limit
    print(f"  beyond {limit:g}" if late else "")
    return late


if __name__ == "__main__":
    raise SystemExit(main())
