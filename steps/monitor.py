"""Job Monitor: analyse captured traffic. The program is in `monitoring/`; this is its name among the jobs."""

from __future__ import annotations

from monitoring.analysis.job import main

__all__ = ["main"]
