"""What a report tells about one pipeline execution: facts, and a line about each that could not be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitoring.measures.rounding import apart
from pipelines.definition.gates import MINIMUM_FROM_LIVE
from pipelines.runs.training_log import Epoch
from pipelines.runs.versions import Measured
from scones.reports.charts.pipeline_graph import GraphStep

PICTURES, PAIRS = 10, 10
"""At most so many pictures of a kind, and so many pairs of near-duplicates, are shown."""
SAMPLES, SAMPLED_CLASSES = 6, 20
"""So many test pictures of each class are shown, and of so many classes."""


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
    def is_met(self) -> bool:
        """Whether the bound holds; not for a metric that is not there."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.sign == ">=" else self.value <= self.bound

    @property
    def words(self) -> tuple[str, str]:
        """What was found and what was asked for: `0.97`, `at least 0.8`."""
        side = "at least" if self.sign == ">=" else "at most"
        if self.value is None:
            return "not there", f"{side} {self.bound:.4g}"
        found, bound = apart(self.value, self.bound, 4, "g")
        return found, f"{side} {bound}"


@dataclass(frozen=True)
class Scoring:
    """What the batch transform job took: seconds from its start to its end, its container's start among them."""

    pictures: int
    seconds: float
    instance: str


@dataclass
class Facts:
    """Everything that the report shows.

    Attributes:
        graph: every step of the definition, those that the execution did not reach as well.
        pictures: the PNG files of test and training pictures, by name.
        samples: names of some test pictures of each class.
        model_bytes: the size of model.tar.gz.
        versions: the latest in the registry, newest first.
        live: the number of the version that answers now.
        rival: what the model is compared with: the live version or, if it is live itself, the one that it replaced.
        missing: a sentence on each thing that could not be collected, and why: the report shows it instead of leaving
            a gap without a word.
    """

    arn: str
    name: str
    status: str
    reason: str
    started: datetime
    ended: datetime
    confidence_threshold: float
    steps: list[StepFact] = field(default_factory=list)
    graph: list[GraphStep] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    gates: list[GateFact] = field(default_factory=list)
    evaluation: dict[str, Any] | None = None
    extract: dict[str, Any] | None = None
    manifests: dict[str, Any] | None = None
    checks: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    epochs: list[Epoch] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)
    package: dict[str, Any] | None = None
    model_bytes: int | None = None
    scoring: Scoring | None = None
    versions: list[Measured] = field(default_factory=list)
    live: int | None = None
    rival: Measured | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The execution's id, the last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def pipeline(self) -> str:
        """The name of the pipeline, out of the execution's ARN."""
        return self.arn.split("/")[1] if self.arn.count("/") > 2 else self.arn

    @property
    def version(self) -> int | None:
        """The number that the model is registered by; None if it is not registered."""
        number = str((self.package or {}).get("ModelPackageArn", "")).rpartition("/")[2]
        return int(number) if number.isdigit() else None

    @property
    def metrics(self) -> dict[str, float]:
        """The plain numbers of the evaluation."""
        found = (self.evaluation or {}).get("metrics", {})
        return {name: float(value) for name, value in found.items() if type(value) in (int, float)}
