"""The charts of an execution's report: as many as its facts suffice for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitoring.measures.metrics import wilson
from scones.reports.charts import evaluation as draw
from scones.reports.charts.evaluation import Share, Span
from scones.reports.charts.layout import Guide
from scones.reports.charts.marks import Interval
from scones.reports.charts.words import percent
from scones.reports.facts import Facts
from scones.reports.pages import Chart, interval
from scones.reports.version_tables import accuracies

Json = Mapping[str, Any]


def charts(facts: Facts) -> Iterator[Chart]:
    """Every chart that the facts suffice for."""
    if facts.epochs:
        yield _training_curves(facts)
    if facts.evaluation is not None:
        yield from _of_evaluation(facts.evaluation, facts.confidence_threshold)
    if len(rows := accuracies(facts)) > 1:
        yield Chart(
            "versions",
            "Accuracy of the versions",
            draw.row_intervals("accuracy on the test set", rows),
            "Newest first, each on the test set that it was registered with. Bars are 95% intervals.",
        )
    if spans := list(_spans(facts)):
        caption = "Each step from its start to its end. Grey: taken from the cache."
        yield Chart("durations", "Where the time went", draw.durations(spans), caption)


def _training_curves(facts: Facts) -> Chart:
    values = [epoch.validation for epoch in facts.epochs]
    pictures = sum(((facts.manifests or {}).get("images", {}).get("validation") or {}).values())
    bounds = [(v, v) if v is None or not pictures else wilson(round(v * pictures), pictures) for v in values]
    figure = draw.training_curves(
        [epoch.number + 1 for epoch in facts.epochs],
        [epoch.train for epoch in facts.epochs],
        Interval(values, [low for low, _ in bounds], [high for _, high in bounds]),
    )
    caption = "A gap that grows between the lines is overfitting."
    if pictures:
        caption += f" The band is the 95% interval of {pictures} validation pictures: wiggles inside it mean nothing."
    return Chart("training-curves", "How it learned", figure, caption)


def _of_evaluation(found: Json, threshold: float) -> Iterator[Chart]:
    metrics, curves, curve = found["metrics"], found["roc"], found["threshold_curve"]
    yield Chart(
        "confusion-matrix",
        "What it takes for what",
        draw.confusion_matrix(found["classes"], found["confusion_matrix"]),
        "Rows are what a picture is, columns what it was called: right answers are on the diagonal. "
        "Shades are shares of a row.",
    )
    yield Chart(
        "per-class",
        "Class by class",
        draw.per_class(found["per_class"]),
        "Found: the share of a class's pictures that were called that (recall). Trusted: the share of pictures called "
        "that which really are (precision). Bars are 95% intervals.",
    )
    area = f"Area under the curve {metrics['auc']:.3f} ({interval(metrics, 'auc', '.3f')})"
    which = f"Positive is {next(iter(curves))}. " if len(curves) == 1 else ""
    few = (
        f" The {draw.MOST_ROC_CURVES} classes of {len(curves)} with the least area are shown."
        if len(curves) > draw.MOST_ROC_CURVES
        else ""
    )
    yield Chart(
        "roc",
        "Telling classes apart (ROC)",
        draw.roc(found["classes"], curves),
        f"{which}{area}; the dashed diagonal is guessing.{few}",
    )
    thresholds = [point["threshold"] for point in curve]

    def line(name: str, key: str, role: str) -> Share:
        values = ([point[k] for point in curve] for k in (key, f"{key}_low", f"{key}_high"))
        return Share(name, Interval(*values), role)

    inside = thresholds[0] <= threshold <= thresholds[-1]
    yield Chart(
        "threshold-curve",
        "What a threshold costs, and what it buys",
        draw.threshold_curve(
            thresholds,
            [line("share accepted", "share", "series2"), line("accuracy among them", "accuracy", "series1")],
            [Guide(f"set: {percent(threshold)}", x=threshold)] if inside else [],
            counts=[f"{point['images']} pictures accepted" for point in curve],
        ),
        "A stricter threshold routes fewer deliveries by itself, and those more rightly. Bands are 95% intervals.",
    )
    name = "expected_calibration_error"
    error = f"{metrics[name]:.3f} ({interval(metrics, name, '.3f')})"
    yield Chart(
        "reliability",
        "Is its confidence honest?",
        draw.reliability(found["reliability"]),
        f"On the diagonal, confidence means what it says. Calibration error {error}; the band is a 95% interval.",
    )
    yield Chart(
        "confidence",
        "How sure it is when right, and when wrong",
        draw.confidence_of_answers(found["reliability"], threshold),
        "Wrong answers belong on the left; those on the right are the ones that do harm.",
    )


def _spans(facts: Facts) -> Iterator[Span]:
    first = min((step.started for step in facts.steps if step.started and step.ended), default=None)
    for step in facts.steps:
        if first and step.started and step.ended:
            start, end = ((moment - first).total_seconds() for moment in (step.started, step.ended))
            cached = step.status == "Cached"
            role = "bad" if step.status == "Failed" else "muted" if cached else "series1"
            yield Span(step.name, start, end, "cached" if cached else f"{end - start:.1f} s", role)
