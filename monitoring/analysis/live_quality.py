"""Model quality on live traffic: captured answers joined with the labels that people gave afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from monitoring.analysis import capture, ground_truth
from monitoring.analysis.capture import Record, Tally
from monitoring.analysis.checks import Violation
from monitoring.analysis.duplicates import Seen
from monitoring.analysis.environment import Job
from monitoring.analysis.outcome import Outcome, message
from monitoring.measures.model_quality import model_quality
from project.errors import DataError

OPERATORS = {"LessThanThreshold": -1, "GreaterThanThreshold": 1}


@dataclass
class Quality:
    """What was found.

    Attributes:
        labelled: answers with a label; unlabelled: answers without; unmatched: labels without an answer.
        statistics: in Model Monitor's form, or {} without a verdict.
    """

    outcome: Outcome
    minimum: int
    labelled: int = 0
    unlabelled: int = 0
    unmatched: int = 0
    tally: Tally = field(default_factory=Tally)
    statistics: dict[str, Any] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The exit message of the job."""
        return message(
            self.outcome,
            records=self.labelled,
            least=self.minimum,
            violations=len(self.violations),
            unit="labelled record",
        )


def judge(job: Job, constraints: Mapping[str, Any] | None, now: datetime) -> Quality:
    """Join the traffic and the labels that `job` names, and hold the result against `constraints`.

    `constraints`: Model Monitor's model-quality constraints, or None for no baseline. A class without any label is too
    little to judge by, however many records there are.

    Raises:
        DataError: the classes are not told, or a rule names a metric that there is not.
    """
    if not job.classes:
        raise DataError("Model quality: the classes are not known.", "Set the job's environment variable `classes`.")
    found = Quality(Outcome.HEALTHY, job.minimum)
    labels, probabilities = _joined(job, found)
    found.labelled = len(labels)
    if not labels:
        found.outcome = Outcome.NO_DATA
        return found
    counts = np.bincount(labels, minlength=len(job.classes))
    if len(labels) < job.minimum or not counts.all():
        found.outcome = Outcome.TOO_FEW_RECORDS
        return found
    metrics = model_quality(np.array(labels, np.int64), np.array(probabilities, np.float64))
    found.statistics = {
        "version": 0.0,
        "dataset": {
            "item_count": len(labels),
            "start_time": job.window.start.isoformat() if job.window.start else None,
            "end_time": job.window.end.isoformat() if job.window.end else None,
            "evaluation_time": now.astimezone(UTC).isoformat(),
        },
        **metrics,
    }
    if constraints is None:
        found.outcome = Outcome.NO_BASELINE
        return found
    found.violations = list(_violations(next(iter(metrics.values())), _rules(constraints)))
    found.outcome = Outcome.VIOLATIONS if found.violations else Outcome.HEALTHY
    return found


def _joined(job: Job, found: Quality) -> tuple[list[int], list[list[float]]]:
    """Labels and probabilities of the answers that have both, each event once."""
    waiting = ground_truth.read(job.ground_truth, job.classes, found.tally) if _there(job) and job.ground_truth else {}
    matched: set[str] = set()
    labels: list[int] = []
    probabilities: list[list[float]] = []
    paths = capture.files(job.source, job.window, found.tally) if job.source.exists() else []
    records = capture.read(paths, found.tally, job.window, len(job.classes))
    for record in _once(records, found.tally):
        if record.probabilities is None:
            continue
        label = _label(record, waiting, matched, job, found.tally)
        if label is None:
            found.unlabelled += 1
            continue
        labels.append(label)
        probabilities.append(record.probabilities)
    lost = sorted(waiting.keys() - matched)
    found.unmatched = len(lost)
    for event in lost:
        found.tally.name(f"label of event {event!r:.80}: no captured answer of this window has it")
    return labels, probabilities


def _there(job: Job) -> bool:
    return job.ground_truth is not None and job.ground_truth.exists()


def _once(records: Iterable[Record], tally: Tally) -> Iterable[Record]:
    seen = Seen()
    for batch in capture.batches(records):
        for record, fresh in zip(batch, seen.first([r.event_id for r in batch]), strict=True):
            if fresh:
                yield record
            else:
                tally.duplicates += 1


def _label(record: Record, waiting: Mapping[str, int], matched: set[str], job: Job, tally: Tally) -> int | None:
    """What a merge job put into the record, or the label under its inference id, or under its event id."""
    if record.ground_truth is not None:
        try:
            return ground_truth.label(record.ground_truth, job.classes)
        except ValueError as error:
            tally.faults += 1
            tally.name(f"{record.place}: groundTruthData: {error}")
            return None
    for event in (record.inference_id, record.event_id):
        if event and event in waiting:
            matched.add(event)
            return waiting[event]
    return None


def _rules(constraints: Mapping[str, Any]) -> Mapping[str, Any]:
    for kind in ("binary_classification_constraints", "multiclass_classification_constraints"):
        if isinstance(constraints.get(kind), dict):
            rules: Mapping[str, Any] = constraints[kind]
            return rules
    raise DataError("Model quality: the constraints hold no classification constraints.", "Write the baseline again.")


def _violations(metrics: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterable[Violation]:
    for name, rule in rules.items():
        try:
            value, threshold = float(metrics[name]["value"]), float(rule["threshold"])
            if not math.isfinite(threshold):
                raise ValueError(f"a threshold of {threshold}")
            sign = OPERATORS[rule["comparison_operator"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"Model quality: the rule for {name!r} cannot be used ({type(error).__name__}: {error}).",
                "Write the baseline again.",
            ) from None
        if (value - threshold) * sign > 0:
            word = "less" if sign < 0 else "greater"
            text = f"Metric {name} with {value:.4f} was {word} than the threshold {threshold:.4f}."
            yield Violation(name, str(rule["comparison_operator"]), text)
