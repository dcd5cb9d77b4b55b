"""`scones monitor report`: one HTML file without script or outside parts, and a PNG of every chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from monitoring.analysis import capture
from monitoring.analysis.analyze import Analysis, Baseline, judged
from monitoring.analysis.capture import Tally
from monitoring.analysis.environment import Job
from monitoring.analysis.features import MEASURED
from monitoring.analysis.outcome import Outcome
from monitoring.analysis.profile import Profile
from monitoring.analysis.traffic import Batch, Reading, read
from monitoring.watch.history import History, Lowest, gather
from scones.reports import traffic_charts
from scones.reports.charts import page
from scones.reports.charts.axes import percent
from scones.reports.charts.clock import written
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.png import png
from scones.reports.thumbnails import thumbnail
from scones.reports.traffic_charts import Latency

TONES = {Outcome.HEALTHY: "good", Outcome.VIOLATIONS: "bad"}
VERDICTS = {
    Outcome.HEALTHY: "Healthy",
    Outcome.VIOLATIONS: "Violations",
    Outcome.NO_DATA: "No data",
    Outcome.TOO_FEW_RECORDS: "Too few records",
    Outcome.NO_BASELINE: "No baseline",
}
PROBLEMS = 20


@dataclass(frozen=True)
class Report:
    """What a report shows, ready to be drawn."""

    endpoint: str
    found: Analysis
    history: History
    baseline: Baseline | None
    made: datetime
    latency: Latency | None = None


def gathered(asked: Job, baseline: Baseline | None, made: datetime, latency: Latency | None = None) -> Report:
    """Read the traffic that `asked` names once, for the verdict and for the charts.

    Raises:
        DataError: there is no such folder.
    """
    classes = asked.classes or (tuple(baseline.constraints["predicted_class"].domain) if baseline else ())
    reading = Reading(classes, asked.threshold, asked.window, asked.pictures)
    profile, tally = Profile(), Tally()

    def profiled() -> Iterable[Batch]:
        for batch in read(capture.files(asked.source, asked.window), reading, tally, asked.processes):
            profile.add(batch.columns)
            yield batch

    history = gather(profiled(), classes, asked.threshold)
    return Report(asked.endpoint, judged(profile, tally, baseline, asked, classes), history, baseline, made, latency)


def drawings(report: Report) -> dict[str, tuple[str, Drawing, str]]:
    """Every chart there is data for: file name without suffix to title, drawing and how to read it."""
    history, found = report.history, report.found
    shown: dict[str, tuple[str, Drawing, str]] = {}
    if history.answered.any():
        mix = report.baseline.profile.features.get("predicted_class") if report.baseline else None
        shown["confidence-over-time"] = (
            "Confidence over time",
            traffic_charts.confidence_over_time(history),
            "Blue was routed, orange was held back because the model was not sure enough."
            + ("" if len(history) <= traffic_charts.DOTS else " Lines are medians, bands hold the middle 80%."),
        )
        shown["confidence-histogram"] = (
            "How sure the model is",
            traffic_charts.confidence_histogram(history),
            f"{percent(round(history.low_share(), 3))} of the answers are below the threshold.",
        )
        shown["above-and-below"] = (
            "Routed and held back",
            traffic_charts.above_and_below(history),
            "Records in each stretch of time.",
        )
        shown["class-mix"] = (
            "Predicted classes over time",
            traffic_charts.class_mix(history, mix.categories if mix else {}),
            "A change here is a change of traffic, or a model that confuses classes.",
        )
    if found.drifts:
        shown["drift"] = (
            "Drift per feature",
            traffic_charts.drift_per_feature(found.drifts),
            "The largest gap to the baseline's distribution, in units of what is allowed: the feature's threshold and, "
            "with Robust, what chance does with so few records. Beyond the line it is a violation.",
        )
    if history.pictures:
        for name in MEASURED:
            drawing = traffic_charts.feature_over_time(
                history, name, report.baseline.profile if report.baseline else None
            )
            shown[f"input-{name.replace('_', '-')}"] = (name.replace("_", " ").capitalize(), drawing, "")
    if report.latency is not None and len(report.latency.time):
        shown["latency"] = ("Latency", traffic_charts.latency_over_time(report.latency), "")
    return shown


def write(report: Report, folder: Path) -> Path:
    """Write `report.html` and a PNG of every chart into `folder`; returns the HTML file. Each appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = drawings(report)
    for name, (_, drawing, _) in shown.items():
        _put(folder / f"{name}.png", png(drawing))
    _put(folder / "report.html", html(report, shown).encode())
    return folder / "report.html"


def html(report: Report, shown: Mapping[str, tuple[str, Drawing, str]]) -> str:
    """The page."""
    found, history = report.found, report.history

    def figures(*names: str) -> str:
        return page.grid(*(page.figure(*shown[name]) for name in names if name in shown))

    inputs = [name for name in shown if name.startswith("input-")]
    parts = [page.cards(_cards(report))]
    if found.violations:
        parts.append(page.section("Violations", page.panel(_violations(report))))
    if "drift" in shown:
        parts.append(page.section("Drift", figures("drift")))
    if "class-mix" in shown:
        parts.append(page.section("Confidence", figures("confidence-over-time", "confidence-histogram")))
        parts.append(page.section("Decisions", figures("above-and-below", "class-mix")))
    if inputs:
        intro = "Median and middle 80% of what was sent; the dashed lines are the same of the baseline."
        parts.append(page.section("Pictures that came in", figures(*inputs), intro=intro))
    if "latency" in shown:
        parts.append(page.section("Latency", figures("latency")))
    if history.lowest:
        intro = "The least confident first. Label some: they teach the next model most."
        parts.append(page.section("Where the model was least sure", _thumbnails(history.lowest), intro=intro))
    parts.append(page.section("What was read", page.panel(_reading(found))))
    badge = page.badge(VERDICTS[found.outcome], TONES.get(found.outcome, "warn"))
    lead = f"<p>{badge} {escape(found.message)}</p>"
    title = f"Traffic of {report.endpoint}" if report.endpoint else "Captured traffic"
    return page.page(
        title, lead, parts, f"Made {report.made.astimezone(UTC):%d %B %Y %H:%M} UTC by scones monitor report."
    )


def _cards(report: Report) -> list[page.Card]:
    found, history = report.found, report.history
    when = f"{written(history.time[0])} to {written(history.time[-1])} UTC" if len(history) else "none in the window"
    cards = [page.Card("Records", f"{found.profile.items:,}", when)]
    if history.answered.any():
        then = report.baseline.profile.features.get("confidence") if report.baseline else None
        usual = f"baseline {percent(round(then.sketch.share_below(history.threshold), 3))}" if then else "no baseline"
        cards.append(
            page.Card(
                f"Below confidence {percent(history.threshold)}",
                percent(round(history.low_share(), 3)),
                usual,
                _tone(report, "low_confidence"),
            )
        )
    if found.drifts:
        worst = max(found.drifts, key=lambda drift: drift.severity)
        many = sum(drift.exceeded for drift in found.drifts)
        note = f"of {len(found.drifts)} compared; farthest: {worst.feature.replace('_', ' ')}"
        cards.append(page.Card("Features that drifted", str(many), note, "bad" if many else "good"))
    unreadable = found.tally.bad + found.tally.faults
    cards.append(
        page.Card(
            "Lines with problems", f"{unreadable:,}", f"of {found.tally.lines:,} read", "warn" if unreadable else ""
        )
    )
    return cards


def _tone(report: Report, feature: str) -> str:
    return "bad" if any(violation.feature == feature for violation in report.found.violations) else ""


def _violations(report: Report) -> str:
    rows = [
        [escape(one.feature.replace("_", " ")), escape(one.check.replace("_", " ")), escape(one.description)]
        for one in report.found.violations
    ]
    return page.table(("what", "check", "found"), rows)


def _thumbnails(lowest: Sequence[Lowest]) -> str:
    cells = []
    for one in lowest:
        try:
            shown = page.picture(thumbnail(capture.at(one.place).picture()), f"{one.predicted}, {one.event_id}")
        except ValueError as error:
            shown = f"<small>{escape(str(error))}</small>"
        words = (
            f"<b>{percent(round(one.confidence, 3))}</b> {escape(one.predicted)}<br>"
            f'<span class="muted">{escape(written(one.time))}</span><br>'
            f'<span class="mono muted">{escape(one.event_id)}</span>'
        )
        cells.append(([shown], words))
    return page.strip(cells)


def _reading(found: Analysis) -> str:
    tally = found.tally
    facts = [
        ("files", f"{tally.files:,}"),
        ("lines", f"{tally.lines:,}"),
        ("lines that are no record", f"{tally.bad:,}"),
        ("answers or pictures that cannot be used", f"{tally.faults:,}"),
        ("repeated events", f"{tally.duplicates:,}"),
        ("outside the time window", f"{tally.outside:,}"),
    ]
    named = tally.problems[:PROBLEMS]
    listed = "".join(f"<li class=mono>{escape(problem)}</li>" for problem in named)
    more = f"<details><summary>The first {len(named)} problems</summary><ul>{listed}</ul></details>" if named else ""
    return page.facts(facts) + more


def _put(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
