"""What a monitoring job is told: Model Monitor's environment variables, and ours for what it does not know.

Contract: "Container Contract Inputs" in Model Monitor's developer guide. Ours: `classes`, `confidence_threshold`,
`unfamiliarity_limit`, `minimum_records`, `invocations`, `sampling_percentage`, `picture_features`, `processes`,
`ground_truth_source`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from monitoring.analysis.capture import Window, moment
from monitoring.analysis.features import Limits
from project import json_text
from project.errors import UsageError

MINIMUM_RECORDS = 30
"""Below this, not even complete drift of a feature is sure to be seen, and a verdict would be a guess."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Job:
    """The inputs of one run.

    Attributes:
        base: where the container's /opt/ml is; the exit message and the metrics file go below it.
        statistics, constraints: the baseline's files, which need not exist.
        invocations: how often the endpoint was called in the window, if the caller of the job knows.
        sampling: the share of requests that the endpoint is set to capture, 0 to 1.
        ground_truth: folder of labels, for model quality; None when records carry them already.
        processes: None lets the amount of data decide.
        version: of the model that answered, if the caller of the job knows.
    """

    source: Path
    output: Path
    base: Path
    window: Window
    statistics: Path | None
    constraints: Path | None
    publish: bool
    endpoint: str
    schedule: str
    model_quality: bool
    classes: tuple[str, ...]
    limits: Limits
    minimum: int
    invocations: int | None
    sampling: float
    pictures: bool
    ground_truth: Path | None
    processes: int | None
    version: str


def job(environment: Mapping[str, str] = os.environ) -> Job:
    """Read the environment of a job.

    Raises:
        UsageError: a variable is missing, or its value is of the wrong type or range; it is named.
    """
    told = _Told(environment)
    told.check_format()
    return Job(
        source=Path(told.required("dataset_source")),
        output=Path(told.required("output_path")),
        base=Path(environment.get("SAGEMAKER_BASE_DIR", "/opt/ml")),
        window=Window(told.optional("start_time", moment), told.optional("end_time", moment)),
        statistics=told.optional("baseline_statistics", Path),
        constraints=told.optional("baseline_constraints", Path),
        publish=told.switch("publish_cloudwatch_metrics", False),
        endpoint=environment.get("sagemaker_endpoint_name", ""),
        schedule=environment.get("sagemaker_monitoring_schedule_name", ""),
        model_quality=environment.get("analysis_type", "") == "MODEL_QUALITY",
        classes=tuple(name for name in environment.get("classes", "").split(",") if name),
        limits=Limits(
            told.number("confidence_threshold", Limits.confidence, 0, 1),
            told.number("unfamiliarity_limit", Limits.unfamiliarity, 0, 1),
        ),
        minimum=int(told.number("minimum_records", MINIMUM_RECORDS, 1, 1e9)),
        invocations=told.optional("invocations", _count),
        sampling=told.number("sampling_percentage", 100, 0, 100) / 100,
        pictures=told.switch("picture_features", True),
        ground_truth=told.optional("ground_truth_source", Path),
        processes=told.optional("processes", _count),
        version=environment.get("model_version", ""),
    )


class _Told:
    """The variables, each read in one way."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def required(self, name: str) -> str:
        if not self.environment.get(name):
            raise UsageError(f"The monitoring job has no environment variable {name}.", "Set it in the job's request.")
        return self.environment[name]

    def optional(self, name: str, read: Callable[[str], Value]) -> Value | None:
        text = self.environment.get(name, "")
        if not text:
            return None
        try:
            return read(text)
        except ValueError as error:
            raise UsageError(f"The monitoring job's environment variable {name}={text!r}: {error}.") from None

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.optional(name, float)
        if value is not None and not low <= value <= high:
            raise UsageError(f"The monitoring job's environment variable {name}={value:g} is not {low:g} to {high:g}.")
        return default if value is None else value

    def switch(self, name: str, default: bool) -> bool:
        text = self.environment.get(name) or ("Enabled" if default else "Disabled")
        if text not in ("Enabled", "Disabled"):
            raise UsageError(f"The monitoring job's environment variable {name}={text!r} is not Enabled or Disabled.")
        return text == "Enabled"

    def check_format(self) -> None:
        text = self.environment.get("dataset_format", "")
        if not text:
            return
        try:
            known = not {"sagemakerCaptureJson", "sagemakerMergeJson"}.isdisjoint(json_text.parsed(text))
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"The monitoring job's environment variable dataset_format is not JSON: {error}."
            ) from None
        if not known:
            raise UsageError(
                f"dataset_format {text:.200} is not captured traffic.", "This analyzer reads sagemakerCaptureJson."
            )


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("below zero")
    return number
