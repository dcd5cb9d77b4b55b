"""The report's charts: from the facts of an execution to drawings with a title and a sentence on how to read them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitoring.measures.metrics import wilson
from scones.reports.charts import plots, tables
from scones.reports.charts.axes import Axis, percent, spanning, whole
from scones.reports.charts.drawing import Drawing
from scones.reports.charts.plots import Guide, Series
from scones.reports.charts.tables import Estimate, Span
from scones.reports.charts.theme import series
from scones.reports.facts import Facts

MOST_ROC_CURVES = 6
Json = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart of the report; `name` is the stem of its PNG file."""

    name: str
    title: str
    drawing: Drawing
    caption: str


def figures(facts: Facts) -> list[Figure]:
    """Every chart that the facts suffice for."""
    return [*_of_training(facts), *_of_evaluation(facts), *_of_steps(facts)]


def _of_training(facts: Facts) -> Iterator[Figure]:
    epochs = facts.epochs
    if not epochs:
        return
    x = [epoch.number + 1 for epoch in epochs]
    train = [math.nan if epoch.train is None else epoch.train for epoch in epochs]
    validation = [math.nan if epoch.validation is None else epoch.validation for epoch in epochs]
    pictures = sum(((facts.manifests or {}).get("images", {}).get("validation") or {}).values())
    bounds = [wilson(round(v * pictures), pictures) if pictures and not math.isnan(v) else (v, v) for v in validation]
    best = max((v for v in validation if not math.isnan(v)), default=math.nan)
    guides = [] if math.isnan(best) else [Guide(f"best: {percent(best)}", x=x[validation.index(best)])]
    low, high = spanning([*train, *validation, *(low for low, _ in bounds)])
    drawn = [
        Series("training", x, train, "series1"),
        Series("validation", x, validation, "series2", [b[0] for b in bounds], [b[1] for b in bounds]),
    ]
    drawing = plots.lines(
        "Accuracy on the training and validation pictures after each epoch",
        Axis("epoch", 1, max(2, x[-1]), whole),
        Axis("accuracy", low, high, percent),
        drawn,
        guides,
    )
    caption = "A gap that grows between the lines is overfitting."
    if pictures:
        caption += f" The band is the 95% interval of {pictures} validation pictures: wiggles inside it mean nothing."
    yield Figure("training-curves", "How it learned", drawing, caption)


def _of_evaluation(facts: Facts) -> Iterator[Figure]:
    evaluation = facts.evaluation
    if evaluation is None:
        return
    yield Figure(
        "confusion-matrix",
        "What it takes for what",
        tables.matrix(
            "Confusion matrix: actual classes in rows, predicted ones in columns",
            evaluation["classes"],
            evaluation["confusion_matrix"],
        ),
        "Right answers are on the diagonal. Shades are shares of a row.",
    )
    yield _per_class(evaluation)
    yield _roc(evaluation)
    yield _reliability(evaluation)
    yield _confidences(evaluation, facts.confidence_threshold)
    yield _thresholds(evaluation, facts.confidence_threshold)


def _per_class(evaluation: Json) -> Figure:
    rows = []
    for index, (name, found) in enumerate(evaluation["per_class"].items()):
        for measure in ("recall", "precision"):
            if found[measure] is not None:
                title = f"{name}, {'found' if measure == 'recall' else 'trusted'}"
                bounds = found[f"{measure}_low"], found[f"{measure}_high"]
                rows.append(Estimate(title, found[measure], *bounds, series(index), measure))
    low, high = spanning([row.low for row in rows] + [row.high for row in rows])
    drawing = tables.intervals(
        "Recall and precision of each class", Axis("share of pictures", low, high, _tenths), rows
    )
    caption = (
        "Found: the share of a class's pictures that were called that (recall). Trusted: the share of pictures called "
        "that which really are (precision). Bars are 95% intervals."
    )
    return Figure("per-class", "Class by class", drawing, caption)


def _roc(evaluation: Json) -> Figure:
    curves = sorted(evaluation["roc"].items(), key=lambda item: item[1]["auc"])
    shown = curves[:MOST_ROC_CURVES]
    place = {name: index for index, name in enumerate(evaluation["classes"])}
    drawn = [
        Series(
            f"{name} {curve['auc']:.3f}",
            curve["false_positive_rates"],
            curve["true_positive_rates"],
            "series1" if len(curves) == 1 else series(place[name]),
        )
        for name, curve in sorted(shown, key=lambda item: place[item[0]])
    ]
    axes = Axis("false positives", 0, 1, percent), Axis("true positives", 0, 1, percent)
    found = evaluation["metrics"]
    caption = f"Area under the curve {_with_interval(found, 'auc', '.3f')}; the dashed diagonal is guessing."
    if len(curves) == 1:
        caption = f"Positive is {shown[0][0]}. {caption}"
    elif len(shown) < len(curves):
        caption += f" The {len(shown)} classes of {len(curves)} with the least area are shown."
    return Figure("roc", "Telling classes apart (ROC)", plots.lines("ROC curves", *axes, drawn, [Guide("")]), caption)


def _reliability(evaluation: Json) -> Figure:
    bins = evaluation["reliability"]
    lowest = min(b["low"] for b in bins)
    tips = [f"{b['images']} pictures, confidence {percent(b['confidence'])}: {percent(b['accuracy'])}" for b in bins]
    drawn = Series(
        "",
        [b["confidence"] for b in bins],
        [b["accuracy"] for b in bins],
        "series1",
        [b["accuracy_low"] for b in bins],
        [b["accuracy_high"] for b in bins],
        tips,
        dots=True,
    )
    axes = Axis("confidence", lowest, 1, percent), Axis("accuracy", 0, 1, percent)
    error = _with_interval(evaluation["metrics"], "expected_calibration_error", ".3f")
    caption = f"On the diagonal, confidence means what it says. Calibration error {error}; the band is a 95% interval."
    return Figure(
        "reliability",
        "Is its confidence honest?",
        plots.lines("Reliability curve", *axes, [drawn], [Guide("")]),
        caption,
    )


def _confidences(evaluation: Json, threshold: float) -> Figure:
    bins = evaluation["reliability"]
    edges = sorted({round(edge, 6) for b in bins for edge in (b["low"], b["high"])})
    by_low = {round(b["low"], 6): b for b in bins}
    kept = [by_low.get(edge, {"images": 0, "wrong": 0}) for edge in edges[:-1]]
    right, wrong = [b["images"] - b["wrong"] for b in kept], [b["wrong"] for b in kept]
    axes = Axis("confidence", edges[0], edges[-1], percent), Axis("pictures", 0, 1.08 * max([*right, *wrong, 1]), whole)
    guides = [Guide("", x=threshold)] if edges[0] < threshold < edges[-1] else []
    drawing = plots.bars("Right and wrong answers by confidence", *axes, edges, _bars(right, wrong), guides)
    caption = "Wrong answers belong on the left; those on the right are the ones that do harm."
    return Figure("confidence", "How sure it is when right, and when wrong", drawing, caption)


def _bars(right: list[int], wrong: list[int]) -> list[tuple[str, str, list[float]]]:
    return [("right", "series1", [float(n) for n in right]), ("wrong", "bad", [float(n) for n in wrong])]


def _thresholds(evaluation: Json, threshold: float) -> Figure:
    curve = evaluation["threshold_curve"]
    x = [point["threshold"] for point in curve]

    def line(name: str, key: str, role: str) -> Series:
        values = [[math.nan if p[k] is None else p[k] for p in curve] for k in (key, f"{key}_low", f"{key}_high")]
        return Series(name, x, values[0], role, values[1], values[2])

    drawn = [line("share accepted", "share", "series2"), line("accuracy among them", "accuracy", "series1")]
    low, high = spanning([v for one in drawn for v in (*one.y, *one.low)])
    axes = Axis("confidence threshold", x[0], x[-1], percent), Axis("share of pictures", low, high, percent)
    guides = [Guide(f"set: {percent(threshold)}", x=threshold)] if x[0] <= threshold <= x[-1] else []
    caption = "A stricter threshold routes fewer deliveries by itself, and those more rightly. Bands are 95% intervals."
    return Figure(
        "threshold-curve",
        "What a threshold costs, and what it buys",
        plots.lines("Share accepted and accuracy among the accepted, by threshold", *axes, drawn, guides),
        caption,
    )


def _of_steps(facts: Facts) -> Iterator[Figure]:
    ran = [step for step in facts.steps if step.started and step.ended]
    if not ran:
        return
    first = min(step.started for step in ran if step.started)
    spans = []
    for step in ran:
        if step.started and step.ended:
            start, end = (step.started - first).total_seconds(), (step.ended - first).total_seconds()
            cached = step.status == "Cached"
            role = "bad" if step.status == "Failed" else "muted" if cached else "series1"
            spans.append(Span(step.name, start, end, "cached" if cached else f"{end - start:.1f} s", role))
    yield Figure("durations", "Where the time went", tables.timeline("Duration of each step", spans), "")


def _tenths(value: float) -> str:
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


def _with_interval(metrics: Json, name: str, form: str) -> str:
    value, low, high = (format(metrics[key], form) for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value} (95% interval {low} to {high})"
