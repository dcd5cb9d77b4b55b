"""What a report tells about one pipeline execution: facts, and a line about each that could not be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.definition.gates import MINIMUM_FROM_LIVE
from pipelines.runs.training_log import Epoch

PICTURES, PAIRS = 10, 10
"""At most so many pictures of a kind, and so many pairs of near-duplicates, are shown."""


@dataclass(frozen=True)
class StepFact:
    """One step. `source` is the execution that a cached result came from; `job` the ARN of what the step made."""

    name: str
    status: str
    started: datetime | None
    ended: datetime | None
    source: str = ""
    job: str = ""
    reason: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None for one that has not ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


@dataclass(frozen=True)
class GateFact:
    """One condition of the gate: `value` of `metric` against `bound`; None for a metric that is not there."""

    metric: str
    sign: str
    bound: float
    parameter: str
    value: float | None

    @property
    def is_asked(self) -> bool:
        """Whether it asks for anything: the comparison with a live model is 0 when there was none to compare with."""
        return not (self.parameter == MINIMUM_FROM_LIVE and self.bound == 0)

    @property
    def kept(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.sign == ">=" else self.value <= self.bound


@dataclass
class Facts:
    """Everything that the report shows.

    `pictures` holds the PNG files of test and training pictures by name. `missing` says in a sentence each what could
    not be collected and why: the report shows it instead of leaving a gap without a word.
    """

    arn: str
    name: str
    status: str
    reason: str
    started: datetime
    ended: datetime
    confidence_threshold: float
    steps: list[StepFact] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    gates: list[GateFact] = field(default_factory=list)
    evaluation: dict[str, Any] | None = None
    extract: dict[str, Any] | None = None
    manifests: dict[str, Any] | None = None
    checks: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    epochs: list[Epoch] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    package: dict[str, Any] | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]
