"""The checks of an analysis. Each is a small function: a profile and the rules in, violations out.

Types and texts are Model Monitor's, so that tools which read its violations read these too. Two checks that it does not
have use its types as well: what could not be read is a data type, what was not captured is completeness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log

import numpy as np

from monitoring.analysis.capture import Tally
from monitoring.analysis.constraints import Constraint
from monitoring.analysis.features import Limits
from monitoring.analysis.profile import FeatureProfile, Profile
from monitoring.measures.distance import chance, chi_squared_p, linf_categorical, linf_robust, linf_simple
from monitoring.measures.rounding import apart, beside

RECORDS = "captured_records"
"""The name under which violations speak of records as a whole."""
LOW_CONFIDENCE, UNFAMILIAR = "low_confidence", "unfamiliar"
LEAST_P = 1e-300


@dataclass(frozen=True)
class Violation:
    """One entry of constraint_violations.json."""

    feature: str
    check: str
    description: str

    def __str__(self) -> str:
        return f"{self.feature}: {self.check}: {self.description}"

    def to_json(self) -> dict[str, str]:
        """As Model Monitor writes it."""
        return {
            "feature_name": self.feature,
            "constraint_check_type": self.check,
            "description": self.description,
        }


@dataclass(frozen=True)
class Drift:
    """How far a feature is from its baseline.

    Attributes:
        distance: what Model Monitor reports: Simple or Robust for numbers, L-infinity for categories.
        simple: the distance before anything is taken off for chance.
        p_value: for categories compared by chi-squared, else None.
        threshold: what `distance` must not exceed, or what `p_value` must not fall below.
        severity: 0 is no drift, 1 the threshold, whatever the method: one scale for all features.
    """

    feature: str
    method: str
    distance: float
    simple: float
    p_value: float | None
    threshold: float
    severity: float

    @property
    def exceeded(self) -> bool:
        return self.severity > 1

    @property
    def allowed(self) -> float:
        """What `simple` must not exceed: the threshold and, with Robust, what chance does with so many records."""
        return self.simple / self.severity if self.method == "Robust" and self.severity else self.threshold

    @property
    def times(self) -> str:
        """The severity in words: the one number about drift that people read, on pages, in reports and in alerts."""
        if not self.threshold and self.p_value is None and self.method != "Robust":
            return "nothing is allowed" if self.severity else times_allowed(0.0)
        return times_allowed(self.severity)


def times_allowed(severity: float) -> str:
    """A severity in words."""
    return f"{beside(severity, 1.0, 1)} times what is allowed"


def drifts(current: Profile, baseline: Profile, constraints: Mapping[str, Constraint], limits: Limits) -> list[Drift]:
    """The distance of every feature that is compared and has usable values on both sides."""
    found = []
    usual = refused_shares(baseline, limits)
    for name, rule in constraints.items():
        now, then = current.features.get(name), baseline.features.get(name)
        if not (rule.config.evaluate and rule.config.compare and now and then and now.count and then.count):
            continue
        if name in usual:  # how much larger the share is; a smaller one is no harm
            found.append(_linf(rule, max(0.0, now.mean - usual[name]), then.count, now.count))
        else:
            found.append(_categorical(rule, then, now) if rule.kind == "String" else _numeric(rule, then, now))
    return found


def refused_shares(baseline: Profile, limits: Limits) -> dict[str, float]:
    """The shares of the baseline that today's limits, which may have been tuned since, would refuse; by feature."""
    sure, strange = (baseline.features.get(name) for name in ("confidence", "unfamiliarity"))
    found = {LOW_CONFIDENCE: sure.sketch.share_below(limits.confidence)} if sure and sure.count else {}
    if strange and strange.count:
        found[UNFAMILIAR] = 1 - float(strange.sketch.shares(np.array([limits.unfamiliarity]))[0])
    return found


def _numeric(rule: Constraint, then: FeatureProfile, now: FeatureProfile) -> Drift:
    return _linf(rule, linf_simple(then.sketch, now.sketch), then.count, now.count)


def _linf(rule: Constraint, simple: float, n: int, m: int, threshold: float | None = None) -> Drift:
    limit = rule.config.comparison_threshold if threshold is None else threshold
    if rule.config.method == "Robust":
        allowed = limit + chance(n, m)
        return Drift(rule.name, "Robust", linf_robust(simple, n, m), simple, None, limit, _times(simple, allowed))
    return Drift(rule.name, "Simple", simple, simple, None, limit, _times(simple, limit))


def _categorical(rule: Constraint, then: FeatureProfile, now: FeatureProfile) -> Drift:
    simple = linf_categorical(then.categories, now.categories)
    threshold = rule.config.categorical_threshold
    if rule.config.categorical_method == "LInfinity":
        return _linf(rule, simple, then.count, now.count, threshold)
    p = max(chi_squared_p(then.categories, now.categories), LEAST_P)
    return Drift(rule.name, "ChiSquared", simple, simple, p, threshold, _times(log(p), log(threshold)))


def _times(value: float, allowed: float) -> float:
    if allowed:
        return value / allowed
    return 2.0 if value else 0.0  # where nothing is allowed, anything is beyond it


def baseline_drift(found: list[Drift]) -> Iterator[Violation]:
    """Distributions that differ from the baseline's."""
    for drift in found:
        if drift.exceeded and drift.p_value is not None:
            p, threshold = apart(drift.p_value, drift.threshold, 3, "g")
            text = f"Baseline drift p-value: {p} is below threshold: {threshold}"
            text = f"{text} (distance: {drift.distance:.4f}): {drift.times}"
            yield Violation(drift.feature, "baseline_drift_check", text)
        elif drift.exceeded:
            distance, allowed = apart(drift.simple, drift.allowed, 4)
            text = f"Baseline drift distance: {distance} exceeds threshold: {allowed}: {drift.times}"
            yield Violation(drift.feature, "baseline_drift_check", text)


def data_type(current: Profile, constraints: Mapping[str, Constraint], tally: Tally) -> Iterator[Violation]:
    """Values of another type than in the baseline, and captured lines that cannot be read at all."""
    for name, rule in constraints.items():
        now = current.features.get(name)
        if rule.config.evaluate and now and now.present and now.count / now.present < rule.config.datatype_threshold:
            yield _type_violation(name, rule.kind, rule.config.datatype_threshold, now.count / now.present)
    strictest = max((rule.config.datatype_threshold for rule in constraints.values()), default=1.0)
    lines = current.items + tally.bad
    if lines and current.items / lines < strictest:
        yield _type_violation(RECORDS, "captured request", strictest, current.items / lines)


def _type_violation(name: str, kind: str, expected: float, observed: float) -> Violation:
    text = (
        f"Data type match requirement is not met. Expected data type: {kind}, Expected match: {expected:.1%}. "
        f"Observed: Only {beside(observed, expected, 2, '%')} of data is {kind}."
    )
    return Violation(name, "data_type_check", text)


def completeness(current: Profile, constraints: Mapping[str, Constraint]) -> Iterator[Violation]:
    """Features that too few records have; those that none has are missing columns."""
    for name, rule in constraints.items():
        now = current.features.get(name)
        if not (rule.config.evaluate and now and now.present):
            continue
        share = now.present / (now.present + now.missing)
        if share < rule.completeness:
            observed, expected = apart(share, rule.completeness, 4, "g")
            text = f"Completeness requirement is not met. Expected: {expected}. Observed: {observed}."
            yield Violation(name, "completeness_check", text)


def columns(current: Profile, constraints: Mapping[str, Constraint]) -> Iterator[Violation]:
    """Features of the baseline that no record has, though some must (completeness), and features that it lacks."""
    observed = current.observed()
    for name, rule in constraints.items():
        if rule.config.evaluate and rule.completeness and name not in observed:
            text = f"Column of the baseline is missing: no record of {current.items} has {name}."
            yield Violation(name, "missing_column_check", text)
    for name in observed:
        if name not in constraints:
            yield Violation(name, "extra_column_check", f"Column {name} is not in the baseline.")


def categorical_values(current: Profile, constraints: Mapping[str, Constraint]) -> Iterator[Violation]:
    """Texts that the baseline does not know."""
    for name, rule in constraints.items():
        now = current.features.get(name)
        if not (rule.config.evaluate and rule.domain and now and now.categories):
            continue
        known = sum(now.categories[value] for value in rule.domain) / now.categories.total()
        if known < rule.config.domain_threshold:
            strange = sorted(set(now.categories) - set(rule.domain))
            text = (
                f"Value(s) not in the domain: {', '.join(strange[:5])}. Expected match: "
                f"{rule.config.domain_threshold:.1%}. Observed: "
                f"Only {beside(known, rule.config.domain_threshold, 2, '%')} of values are known."
            )
            yield Violation(name, "categorical_values_check", text)


def capture_rate(current: Profile, invocations: int | None, sampling: float, least: float = 0.9) -> Iterator[Violation]:
    """Far fewer records than the endpoint was asked; `sampling` is the share that it is set to capture."""
    expected = (invocations or 0) * sampling
    if expected and current.items / expected < least:
        observed, required = apart(current.items / expected, least, 4, "g")
        text = (
            f"Completeness requirement is not met. Expected: {required} of {expected:.0f} requests captured. "
            f"Observed: {observed}."
        )
        yield Violation(RECORDS, "completeness_check", text)
