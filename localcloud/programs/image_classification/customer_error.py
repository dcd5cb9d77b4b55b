"""What the container calls a customer error: the job's own settings or data are wrong, and nobody should retry it."""

from __future__ import annotations

from pathlib import Path

from project.errors import SconesError

FAILURE_LIMIT = 1024  # characters of /opt/ml/output/failure that SageMaker shows as FailureReason


class CustomerError(SconesError):
    """Settings or data of the training job are wrong. The container logs `Customer Error: …` and exits with 2."""

    exit_code = 2


def write_failure(output: Path, reason: str) -> None:
    """Leave `reason` where SageMaker looks for a training job's FailureReason: `<output>/failure`."""
    output.mkdir(parents=True, exist_ok=True)
    unfinished = output / ".failure"
    unfinished.write_text(reason[:FAILURE_LIMIT], encoding="utf-8")
    unfinished.replace(output / "failure")
