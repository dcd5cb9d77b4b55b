"""The report on captured traffic as an HTML page: the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitoring.analysis import capture
from monitoring.analysis.analyze import Analysis, Baseline, judged
from monitoring.analysis.capture import Tally
from monitoring.analysis.checks import LOW_CONFIDENCE, UNFAMILIAR, refused_shares
from monitoring.analysis.environment import Job
from monitoring.analysis.features import MEASURED, Floats
from monitoring.analysis.outcome import Outcome
from monitoring.analysis.profile import Profile
from monitoring.analysis.traffic import Batch, Reading, read
from monitoring.watch.history import Doubtful, History, gather
from pipelines.runs.live_history import Deployment
from scones.reports import changes, pages
from scones.reports.charts import drift, traffic
from scones.reports.charts.layout import Mark
from scones.reports.charts.traffic import LatencyLine
from scones.reports.charts.words import moment, percent
from scones.reports.monitor_verdict import (
    asked_of,
    next_step,
    said,
    spaced,
    step_after,
    versions_in_words,
    window_in_words,
)
from scones.reports.pages import Card, Chart, write_page
from scones.reports.thumbnails import thumbnail
from stepfunctions.threshold import Change

TONES = {Outcome.HEALTHY: "good", Outcome.VIOLATIONS: "bad"}
VERDICTS = {
    Outcome.HEALTHY: "Healthy",
    Outcome.VIOLATIONS: "Violations",
    Outcome.NO_DATA: "No data",
    Outcome.TOO_FEW_RECORDS: "Too few records",
    Outcome.NO_BASELINE: "No baseline",
}
PROBLEMS = 20
LEAST_POINTS = 3
"""Of a latency curve; fewer are told as numbers."""
PAGE = "report.html"


@dataclass(frozen=True)
class TrafficReport:
    """What a report shows, ready to be drawn. `deployed` says which version answered from when on, oldest first."""

    asked: Job
    found: Analysis
    history: History
    baseline: Baseline | None
    made: datetime
    latency: Sequence[LatencyLine] = ()
    marks: Sequence[Mark] = ()
    deployed: Sequence[Deployment] = ()


def read_traffic(
    asked: Job,
    baseline: Baseline | None,
    made: datetime,
    latency: Sequence[LatencyLine] = (),
    deployed: Sequence[Deployment] = (),
    thresholds: Sequence[Change] = (),
) -> TrafficReport:
    """Read the traffic that `asked` names once, for the verdict and for the charts.

    Args:
        deployed: which version answered from when on, oldest first.
        thresholds: the history of the confidence threshold, newest first.

    Raises:
        DataError: there is no such folder.
    """
    classes = asked.classes or (tuple(baseline.constraints["predicted_class"].domain) if baseline else ())
    reading = Reading(classes, asked.limits, asked.window, asked.pictures)
    profile, tally = Profile(), Tally()

    def profiled() -> Iterable[Batch]:
        for batch in read(capture.files(asked.source, asked.window, tally), reading, tally, asked.processes):
            profile.add(batch.columns)
            yield batch

    history = gather(profiled(), classes, asked.limits)
    found = judged(profile, tally, baseline, asked, classes)
    marks = changes.marks(deployed, thresholds)
    return TrafficReport(asked, found, history, baseline, made, latency, marks, deployed)


def write(report: TrafficReport, folder: Path) -> Path:
    """Write the page into `folder`; returns its path. It appears whole."""
    return write_page(folder / PAGE, page(report))


def page(report: TrafficReport) -> str:
    """The whole page, with nothing in it that would have to be fetched."""
    asked, found, tally = report.asked, report.found, report.found.tally
    shown = list(charts(report))
    return pages.render(
        "traffic.html",
        shown,
        title=f"Traffic of {asked.endpoint}" if asked.endpoint else "Captured traffic",
        verdict=said(found, asked.endpoint, asked.version),
        outcome=VERDICTS[found.outcome],
        tone=TONES.get(found.outcome, "warn"),
        next_step=next_step(found.outcome),
        about=list(_about(report)),
        headline=list(_headline(report)),
        violations=list(_violations(found)),
        judged=found.outcome.judged,
        expectations=list(asked_of(report.baseline, found)) if report.baseline else [],
        inputs=[chart.name for chart in shown if chart.name.startswith("input-")],
        lowest=list(_once(map(_look, report.history.lowest))),
        strangest=list(_once(map(_look, report.history.strangest))),
        reading=[
            ("files", f"{tally.files:,}"),
            ("lines", f"{tally.lines:,}"),
            ("lines that are no record", f"{tally.bad:,}"),
            ("answers or pictures that cannot be used", f"{tally.faults:,}"),
            ("files of other names, passed over", f"{tally.passed_over:,}"),
            ("repeated events", f"{tally.duplicates:,}"),
            ("outside the time window", f"{tally.outside:,}"),
        ],
        problems=tally.problems[:PROBLEMS],
        made=f"{report.made.astimezone(UTC):%d %B %Y %H:%M}",
    )


def _about(report: TrafficReport) -> Iterator[tuple[str, str]]:
    """What the report is of: endpoint, versions, time, threshold, baseline."""
    asked = report.asked
    if asked.endpoint:
        yield "endpoint", asked.endpoint
    if answered := versions_in_words(report.deployed, asked.window, report.made):
        yield "answered by", answered
    yield "time", window_in_words(asked.window)
    yield "confidence threshold", f"{percent(report.history.threshold)}: below it a picture is not routed"
    if report.history.unfamiliar_share() is not None:
        limit = percent(report.history.limits.unfamiliarity)
        yield "unfamiliarity limit", f"{limit}: above it a picture is not routed either, however sure the model is"
    if report.baseline:
        yield "compared with", f"the test set of version {asked.version}" if asked.version else "the baseline given"


def _violations(found: Analysis) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What to do next, and what calls for it: features with what was found, in the order of the checks."""
    steps: dict[str, list[tuple[str, str]]] = {}
    for one in found.violations:
        steps.setdefault(step_after(one), []).append((spaced(one.feature), one.description))
    yield from steps.items()


def charts(report: TrafficReport) -> Iterator[Chart]:
    """Every chart there is data for."""
    history, found = report.history, report.found
    profile = report.baseline.profile if report.baseline else None
    if history.answered.any():
        mix = profile.features.get("predicted_class") if profile else None
        yield Chart(
            "confidence-over-time",
            "Confidence over time",
            traffic.confidence_over_time(history, report.marks),
            "Blue is above the threshold; orange is below it, and was not routed."
            + ("" if len(history) <= traffic.DOTS else " Lines are medians, bands hold the middle 80%."),
        )
        yield Chart(
            "confidence-histogram",
            "How sure the model is",
            traffic.confidence_histogram(history),
            f"{percent(round(history.low_share(), 3))} of the answers are below the threshold.",
        )
        yield Chart(
            "above-and-below",
            "Above and below the threshold",
            traffic.above_and_below(history, report.marks),
            "Records in each stretch of time.",
        )
        yield Chart(
            "class-mix",
            "Predicted classes over time",
            traffic.class_mix(history, mix.categories if mix else {}, report.marks),
            "A change here is a change of traffic, or a model that confuses classes.",
        )
    if found.drifts:
        yield Chart(
            "drift",
            "Drift per feature",
            drift.drift_per_feature(found.drifts),
            "Times what is allowed: the gap to the baseline's distribution, divided by the largest one that passes, "
            "which is the threshold and what chance does with so many records. Beyond 1 is a violation.",
        )
    for name in MEASURED if history.pictures else ():
        figure = drift.feature_over_time(history, name, profile, report.marks)
        yield Chart(f"input-{name.replace('_', '-')}", spaced(name).capitalize(), figure, drift.meaning(name))
    if report.latency and max(len(one.time) for one in report.latency) >= LEAST_POINTS:
        yield Chart(
            "latency",
            "Latency",
            traffic.latency_over_time(report.latency, marks=report.marks),
            "How long the model took, from CloudWatch. Time without requests is a gap.",
        )


def _headline(report: TrafficReport) -> Iterator[Card]:
    found, history = report.found, report.history
    when = f"{moment(history.time[0])} to {moment(history.time[-1])} UTC" if len(history) else "none in the window"
    yield Card("Records", f"{found.profile.items:,}", when)
    if history.answered.any():
        then = report.baseline.profile.features.get("confidence") if report.baseline else None
        usual = f"baseline {percent(round(then.sketch.share_below(history.threshold), 3))}" if then else "no baseline"
        tone = "bad" if any(one.feature == LOW_CONFIDENCE for one in found.violations) else ""
        name = f"Below confidence {percent(history.threshold)}"
        yield Card(name, percent(round(history.low_share(), 3)), usual, tone)
    strange = history.unfamiliar_share()
    if strange is not None:
        usual_share = (
            refused_shares(report.baseline.profile, history.limits).get(UNFAMILIAR) if report.baseline else None
        )
        usual = "no baseline" if usual_share is None else f"baseline {percent(round(usual_share, 3))}"
        tone = "bad" if any(one.feature == UNFAMILIAR for one in found.violations) else ""
        yield Card(
            f"Unfamiliar, above {percent(history.limits.unfamiliarity)}", percent(round(strange, 3)), usual, tone
        )
    if found.drifts:
        worst = max(found.drifts, key=lambda one: one.severity)
        many = sum(one.exceeded for one in found.drifts)
        note = f"of {len(found.drifts)} compared; farthest: {spaced(worst.feature)}"
        yield Card("Features that drifted", str(many), note, "bad" if many else "good")
    known = [one for one in report.latency if len(one.time)]
    if known:
        first, *others = (f"{one.name} {_between(one.milliseconds)}" for one in known)
        yield Card("Latency of the model", first.removeprefix(f"{known[0].name} "), "; ".join([known[0].name, *others]))
    unreadable = found.tally.bad + found.tally.faults
    note = f"of {found.tally.lines:,} read"
    yield Card("Lines with problems", f"{unreadable:,}", note, "warn" if unreadable else "")


def _between(milliseconds: Floats) -> str:
    """The least and the greatest of what CloudWatch has for each stretch of time."""
    low, high = f"{milliseconds.min():.3g}", f"{milliseconds.max():.3g}"
    return f"{low} ms" if low == high else f"{low} to {high} ms"


Look = tuple[Doubtful, bytes | None, str]


def _look(one: Doubtful) -> Look:
    """A record with its picture, or with why there is none."""
    try:
        return one, thumbnail(capture.at(one.place).picture()), ""
    except ValueError as error:
        return one, None, str(error)


def _once(looks: Iterable[Look]) -> Iterator[tuple[Doubtful, bytes | None, str, int]]:
    """Each picture once, as its most doubtful record, and how many of the records show it."""
    found: dict[bytes | str, list[Look]] = {}
    for look in looks:
        found.setdefault(look[1] or look[0].place, []).append(look)
    for same in found.values():
        yield (*same[0], len(same))
