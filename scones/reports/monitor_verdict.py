"""What a monitor's report says in words: the verdict, what was asked of every feature, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from monitoring.analysis.analyze import Analysis, Baseline
from monitoring.analysis.capture import Window
from monitoring.analysis.checks import LOW_CONFIDENCE, RECORDS, UNFAMILIAR, Drift, Violation
from monitoring.analysis.constraints import Constraint
from monitoring.analysis.features import BY_NAME
from monitoring.analysis.outcome import Outcome
from pipelines.runs.live_history import Deployment
from scones.reports.charts.drift import drift_note
from scones.reports.charts.words import moment

DRIFT = "baseline_drift_check"
LABEL = (
    "Label some of the least sure pictures below (scones monitor label, or the desk's page Review); then scones "
    "monitor run --model-quality says whether the accuracy has fallen."
)
LOOK = (
    "Look at the pictures below and at the charts of these features: what changed, and since when? A camera that is at "
    "fault is mended there. A change that stays is learned: train with new pictures (scones start --pictures FOLDER)."
)
CALLERS = "Look at the problems below under What was read: somebody sends what is no picture. Mend that caller."
STEPS: Mapping[str, str] = {
    "data_type_check": CALLERS,
    "missing_column_check": "The endpoint captures too little; a deployment sets that: scones approve VERSION --again.",
    "extra_column_check": "The baseline is another program's: attach it again with scones monitor schedule on.",
    "completeness_check": CALLERS,
}
ANSWERS = {"confidence", "margin", "entropy", LOW_CONFIDENCE}


def said(found: Analysis, endpoint: str, version: str) -> str:
    """The verdict in one sentence."""
    traffic = f"The traffic of endpoint {endpoint}" if endpoint else "The captured traffic"
    tested = f"the test set of version {version}" if version else "the baseline"
    records = f"{found.profile.items:,} record{'s' * (found.profile.items != 1)}"
    match found.outcome:
        case Outcome.HEALTHY:
            return f"{traffic} is like {tested}: {records}, no violations."
        case Outcome.VIOLATIONS:
            many = len(found.violations)
            text = f"{traffic} is not like {tested}: {many} violation{'s' * (many != 1)} in {records}"
            exceeded = [one for one in found.drifts if one.exceeded]
            if not exceeded:
                return f"{text}."
            worst = max(exceeded, key=lambda one: one.severity)
            return f"{text}; farthest is {spaced(worst.feature)}, {worst.times}."
        case Outcome.NO_DATA:
            return f"{traffic} cannot be judged: nothing was captured in this time."
        case Outcome.TOO_FEW_RECORDS:
            return f"{traffic} cannot be judged: {records} are too few, a verdict needs {found.minimum}."
        case Outcome.NO_BASELINE:
            return f"{traffic} cannot be judged: {records}, and no baseline to compare them with."


def next_step(outcome: Outcome) -> str:
    """What to do about an outcome without violations; nothing where nothing is to be done."""
    match outcome:
        case Outcome.NO_DATA:
            return "Name a longer time with --hours, or send requests."
        case Outcome.TOO_FEW_RECORDS:
            return "Name a longer time with --hours, or wait for more requests."
        case Outcome.NO_BASELINE:
            return "A version has a baseline once it is live: scones approve, then scones monitor status."
        case _:
            return ""


def step_after(violation: Violation) -> str:
    """What to do next about a violation."""
    name = violation.feature
    if violation.check == DRIFT and name in ANSWERS:
        return LABEL
    if violation.check == DRIFT and name == "predicted_class":
        return f"Ask whether other vehicles deliver now. If not, the model confuses classes. {LABEL}"
    if violation.check == DRIFT:
        return LOOK
    if violation.check == "categorical_values_check" and name == "predicted_class":
        return "Another version answers than the baseline is of: scones monitor schedule on attaches it again."
    if violation.check == "categorical_values_check":
        return "Look at who sends such pictures. Those of a kind that shall be known belong into the test set as well."
    if violation.check == "completeness_check" and name == RECORDS:
        return "Records are missing: look at the endpoint's data capture and its sampling percentage."
    return STEPS.get(violation.check, "")


def window_in_words(window: Window) -> str:
    """From when to when, UTC."""
    if window.start is None and window.end is None:
        return "all that was captured"
    start, end = (f"{one.astimezone(UTC):%d %b %Y %H:%M}" if one else "" for one in (window.start, window.end))
    return f"{start or 'the beginning'} to {end or 'now'} UTC"


def versions_in_words(deployed: Sequence[Deployment], window: Window, now: datetime) -> str:
    """Which versions answered in the window: `version 1, from 20 Nov 10:00:00 version 2`; "" if nobody knows."""
    start = window.start.timestamp() if window.start else 0.0
    end = (window.end or now).timestamp()
    before = [one for one in deployed if one.when <= start][-1:]
    within = [one for one in deployed if start < one.when < end]
    parts = [_version(one) for one in before]
    parts += [f"from {moment(one.when)} {_version(one)}" for one in within]
    return ", ".join(parts)


def asked_of(baseline: Baseline, found: Analysis) -> Iterator[tuple[str, str, str, str, bool]]:
    """For every feature: its name, what it means, what the baseline asks, what was found, whether that holds."""
    drifts = {one.feature: one for one in found.drifts}
    violated = {one.feature for one in found.violations}
    for name, rule in baseline.constraints.items():
        meaning = BY_NAME[name].meaning if name in BY_NAME else ""
        yield spaced(name), meaning, _asked(rule, drifts.get(name)), _found(name, found, drifts), name not in violated


def spaced(name: str) -> str:
    """A feature's name in words."""
    return name.replace("_", " ")


def _version(one: Deployment) -> str:
    return f"version {one.version}" if one.version else "none"


def _asked(rule: Constraint, drift: Drift | None) -> str:
    parts = [f"in {100 * rule.completeness:.4g}% of the records"] if rule.completeness else []
    if rule.domain:
        parts.append(f"one of {', '.join(rule.domain[:6])}{', …' if len(rule.domain) > 6 else ''}")
    if not rule.config.compare:
        parts.append("distribution not compared")
    elif drift is not None and drift.p_value is not None:
        parts.append(f"shares as in the test set, p at least {drift.threshold:g}")
    elif drift is not None:
        more = (
            "no more often than in the test set, by"
            if rule.name in (LOW_CONFIDENCE, UNFAMILIAR)
            else "gap to the test set's"
        )
        parts.append(f"{more} at most {drift.allowed:.3f}")
    return "; ".join(parts)


def _found(name: str, found: Analysis, drifts: Mapping[str, Drift]) -> str:
    if name in drifts:
        return f"{drifts[name].times} ({drift_note(drifts[name])})"
    now = found.profile.features.get(name)
    return "in no record" if now is None or not now.present else f"in {now.present:,} records"
