"""How far the steps of an execution are: of a training the epochs that its log tells about, of others their time."""

from __future__ import annotations

import time
from typing import Any

from pipelines.runs import training_log
from project import aws
from project.errors import SconesError
from project.progress import Show

READ_SECONDS = 3.0
"""A log is read again after so long."""


class Watch:
    """Shows the step that runs; of several the one that started last."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._read_at = float("-inf")
        self._epochs: tuple[int, int] | None = None

    def show(self, steps: list[dict[str, Any]]) -> None:
        """Show how far the running step is, given all steps as ListPipelineExecutionSteps has them, oldest first."""
        running = [step for step in steps if step["StepStatus"] in {"Starting", "Executing"}]
        if not running:
            return
        step = running[-1]
        job = step.get("Metadata", {}).get("TrainingJob", {}).get("Arn", "").rpartition("/")[2]
        if not job:
            self._show(step["StepName"])
            return
        if time.monotonic() - self._read_at >= READ_SECONDS:
            self._epochs, self._read_at = _epochs(job), time.monotonic()
        if self._epochs is None:
            self._show(step["StepName"])
        else:
            done, total = self._epochs
            self._show(step["StepName"], f"epoch {done} of {total}", done, total)


def _epochs(job: str) -> tuple[int, int] | None:
    """How many epochs a training job is past, and of how many; None as long as nothing says so.

    Who may not read logs, or whose job has none yet, still follows the execution: an error here is no error of it.
    """
    try:
        with aws.explained(f"describing training job {job}"):
            given = aws.client("sagemaker").describe_training_job(TrainingJobName=job)["HyperParameters"]
        return training_log.epochs(job)[-1].number + 1, int(given["epochs"].strip('"'))
    except (SconesError, KeyError, ValueError):
        return None
