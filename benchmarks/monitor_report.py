"""How long the report of many records takes, and how large its page is.

python benchmarks/monitor_report.py [--records 100000]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitor_speed import write
from plotly.offline import get_plotlyjs

from monitoring.analysis.environment import job
from scones.reports import monitor_page


def main() -> None:
    """Print seconds and bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        source, target = Path(temporary) / "capture", Path(temporary) / "report"
        source.mkdir()
        write(source, options.records)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        started = time.perf_counter()
        found = monitor_page.read_traffic(
            job({"dataset_source": str(source), "output_path": "unused"}), None, datetime.now(UTC)
        )
        read = time.perf_counter() - started
        page = monitor_page.write(found, target)
        total = time.perf_counter() - started
        print(f"{options.records:,} records: read in {read:.1f} s, drawn in {total - read:.1f} s, {total:.1f} s in all")
        print(f"page {page.stat().st_size / 1e6:.2f} MB, of which plotly.js {len(get_plotlyjs()) / 1e6:.2f} MB")
        print(f"memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
