"""The container's entry point."""

from __future__ import annotations

import sys

from localcloud.programs.model_monitor.job import run

if __name__ == "__main__":
    sys.exit(run())
