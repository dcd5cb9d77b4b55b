"""How an analysis ended. Only one of the five is healthy, and the three that saw too little are not failures."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The values are what the exit message of the job begins with, so that the message alone tells the outcome."""

    HEALTHY = "Completed"
    VIOLATIONS = "CompletedWithViolations"
    NO_DATA = "NoData"
    TOO_FEW_RECORDS = "TooFewRecords"
    NO_BASELINE = "NoBaseline"

    @property
    def judged(self) -> bool:
        """Whether there was enough to say that all is well, or that it is not."""
        return self in (Outcome.HEALTHY, Outcome.VIOLATIONS)


def message(outcome: Outcome, *, records: int, least: int, violations: int, unit: str = "record") -> str:
    """The exit message. The texts of the first two are Model Monitor's."""
    if outcome is Outcome.HEALTHY:
        return "Completed: Job completed successfully with no violations."
    if outcome is Outcome.VIOLATIONS:
        return f"CompletedWithViolations: Job completed successfully with {violations} violations."
    if outcome is Outcome.NO_DATA:
        return f"NoData: no {unit} in the time window; nothing can be said about it."
    if outcome is Outcome.TOO_FEW_RECORDS:
        return f"TooFewRecords: {records} {unit}{'s' * (records != 1)} in the time window; a verdict needs {least}."
    return f"NoBaseline: {records} {unit}{'s' * (records != 1)} read, and no baseline to compare them with."


def of_message(text: str) -> Outcome | None:
    """The outcome that an exit message tells, or None if it is not one of ours."""
    word = text.partition(":")[0]
    return next((outcome for outcome in Outcome if outcome.value == word), None)
