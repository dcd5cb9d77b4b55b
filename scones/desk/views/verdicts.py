"""How pages say what a run of the monitor found."""

from __future__ import annotations

from monitoring.analysis.outcome import Outcome

VERDICTS = {
    Outcome.HEALTHY: ("Healthy", "green", ":material/check_circle:"),
    Outcome.VIOLATIONS: ("Violations", "red", ":material/warning:"),
    Outcome.NO_DATA: ("No data", "gray", ":material/inbox:"),
    Outcome.TOO_FEW_RECORDS: ("Too few records", "gray", ":material/hourglass_empty:"),
    Outcome.NO_BASELINE: ("No baseline", "gray", ":material/help:"),
}
