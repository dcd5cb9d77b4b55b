"""`/opt/ml/output/failure`: where SageMaker looks for a training job's FailureReason."""

from __future__ import annotations

from pathlib import Path

FAILURE_LIMIT = 1024  # characters that SageMaker shows


def write_failure(output: Path, reason: str) -> None:
    """Leave `reason` at `<output>/failure`, whole or not at all."""
    output.mkdir(parents=True, exist_ok=True)
    unfinished = output / ".failure"
    unfinished.write_text(reason[:FAILURE_LIMIT], encoding="utf-8")
    unfinished.replace(output / "failure")
