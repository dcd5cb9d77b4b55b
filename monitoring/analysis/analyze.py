"""Data quality of captured traffic: gather it, compare it with the baseline, and say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from monitoring.analysis import capture, checks, constraints, traffic
from monitoring.analysis.capture import Tally
from monitoring.analysis.checks import Drift, Violation
from monitoring.analysis.constraints import Constraint
from monitoring.analysis.environment import Job
from monitoring.analysis.features import BY_NAME
from monitoring.analysis.outcome import Outcome, message
from monitoring.analysis.profile import Profile, from_statistics
from project import json_text
from project.errors import DataError


@dataclass(frozen=True)
class Baseline:
    """What traffic is compared with."""

    profile: Profile
    constraints: Mapping[str, Constraint]


@dataclass
class Analysis:
    """What was found. Without a verdict (`outcome.judged`) there are neither drifts nor violations."""

    outcome: Outcome
    profile: Profile
    tally: Tally
    classes: tuple[str, ...]
    minimum: int
    drifts: list[Drift] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The exit message of the job."""
        return message(self.outcome, records=self.profile.items, least=self.minimum, violations=len(self.violations))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        DataError: it cannot be read, or holds something else.
    """
    try:
        value = json_text.parsed(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}.", "Write the baseline again.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds a JSON {type(value).__name__}, not an object.", "Write the baseline again.")
    return value


def read_baseline(statistics: Path | None, rules: Path | None) -> Baseline | None:
    """The baseline in two files; None unless both exist.

    Raises:
        DataError: a file exists and cannot be used.
    """
    if not (statistics and rules and statistics.is_file() and rules.is_file()):
        return None
    return Baseline(
        from_statistics(read_json(statistics), str(statistics)), constraints.parse(read_json(rules), str(rules))
    )


def analyze(job: Job, baseline: Baseline | None) -> Analysis:
    """Read the traffic that `job` names and compare it with `baseline`.

    Raises:
        SconesError: a process that reads ended early.
    """
    classes = job.classes or (constraints.classes_of(baseline.constraints) if baseline else ())
    reading = traffic.Reading(classes, job.limits, job.window, job.pictures)
    profile, tally = Profile(), Tally()
    if job.source.exists():
        for batch in traffic.read(capture.files(job.source, job.window, tally), reading, tally, job.processes):
            profile.add(batch.columns)
    return judged(profile, tally, baseline, job, classes)


def judged(
    profile: Profile, tally: Tally, baseline: Baseline | None, job: Job, classes: tuple[str, ...] = ()
) -> Analysis:
    """Compare what was gathered with `baseline`."""
    found = Analysis(Outcome.HEALTHY, profile, tally, classes, job.minimum)
    met = profile.items + tally.bad
    if not met:
        found.outcome = Outcome.NO_DATA
    elif baseline is None:
        found.outcome = Outcome.NO_BASELINE
    elif met < job.minimum:
        found.outcome = Outcome.TOO_FEW_RECORDS
    else:
        rules = _asked(baseline.constraints, job.pictures)
        found.drifts = checks.drifts(profile, baseline.profile, rules, job.limits)
        found.violations = [
            *checks.data_type(profile, rules, tally),
            *checks.completeness(profile, rules),
            *checks.columns(profile, rules),
            *checks.categorical_values(profile, rules),
            *checks.baseline_drift(found.drifts),
            *checks.capture_rate(profile, job.invocations, job.sampling),
        ]
        if found.violations:
            found.outcome = Outcome.VIOLATIONS
    return found


def _asked(rules: Mapping[str, Constraint], pictures: bool) -> Mapping[str, Constraint]:
    """Without picture features, the rules about them are not asked either."""
    return {n: rule for n, rule in rules.items() if pictures or n not in BY_NAME or BY_NAME[n].part != "picture"}


def summary(found: Analysis, job: Job, baseline: Baseline | None) -> dict[str, Any]:
    """What people and programs ask of a run first, as JSON values."""
    predicted = found.profile.features.get("predicted_class")
    mix = baseline.profile.features.get("predicted_class") if baseline else None
    usual = checks.refused_shares(baseline.profile, job.limits) if baseline else {}
    return {
        "outcome": found.outcome.value,
        "message": found.message,
        "endpoint": job.endpoint,
        "schedule": job.schedule,
        "version": job.version,
        "window": {
            "start": job.window.start.isoformat() if job.window.start else None,
            "end": job.window.end.isoformat() if job.window.end else None,
        },
        "records": found.profile.items,
        "minimum_records": found.minimum,
        "reading": asdict(found.tally),
        "confidence_threshold": job.limits.confidence,
        "low_confidence_share": _share(found.profile, checks.LOW_CONFIDENCE),
        "baseline_low_confidence_share": usual.get(checks.LOW_CONFIDENCE),
        "unfamiliarity_limit": job.limits.unfamiliarity,
        "unfamiliar_share": _share(found.profile, checks.UNFAMILIAR),
        "baseline_unfamiliar_share": usual.get(checks.UNFAMILIAR),
        "class_mix": dict(predicted.categories) if predicted else {},
        "baseline_class_mix": dict(mix.categories) if mix else {},
        "drift": [asdict(drift) | {"exceeded": drift.exceeded} for drift in found.drifts],
        "violations": len(found.violations),
    }


def _share(profile: Profile, name: str) -> float | None:
    feature = profile.features.get(name)
    return feature.mean if feature and feature.count else None
