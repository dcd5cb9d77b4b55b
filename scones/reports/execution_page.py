"""The report of one execution as an HTML page: what a person asks first comes first, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitoring.measures.metrics import wilson
from scones.reports import pages
from scones.reports.charts import evaluation as draw
from scones.reports.charts.evaluation import Share, Span
from scones.reports.charts.layout import Guide
from scones.reports.charts.marks import Interval
from scones.reports.charts.words import percent
from scones.reports.facts import Facts
from scones.reports.pages import Card, Chart, interval, share
from steps.train.hyperparameters import Hyperparameters

Json = Mapping[str, Any]
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)
"""Those of the curve that stand in the table for choosing one."""
LONG, EXAMPLES = 120, 5
"""Characters of a value, and values that broke an expectation, that the table of expectations shows."""
LOOK = {"Worst mistakes: wrong, and sure of it": "worst_mistakes", "Least certain": "least_certain"}


def page(facts: Facts) -> str:
    """The whole page, with nothing in it that would have to be fetched."""
    evaluation, manifests = facts.evaluation or {}, facts.manifests or {}
    images: Json = manifests.get("images", {})
    return pages.render(
        "execution.html",
        list(charts(facts)),
        title=f"Execution {facts.name}",
        facts=facts,
        began=_time(facts.started),
        classes=(facts.evaluation or manifests).get("classes", []),
        why=_why(facts),
        staging=_staging(facts.package or {}),
        headline=list(_headline(evaluation, facts.confidence_threshold)) if evaluation else [],
        thresholds=[_threshold_row(p) for p in evaluation.get("threshold_curve", []) if p["threshold"] in THRESHOLDS],
        look=list(_look(facts)),
        expectations=None if facts.checks is None else list(_expectations(facts.checks)),
        images=images,
        counts=list(_counts(images)),
        sources=_sources(facts),
        hyperparameters=_hyperparameters(facts.training or {}),
    )


def charts(facts: Facts) -> Iterator[Chart]:
    """Every chart that the facts suffice for."""
    if facts.epochs:
        yield _training_curves(facts)
    if facts.evaluation is not None:
        yield from _of_evaluation(facts.evaluation, facts.confidence_threshold)
    if spans := list(_spans(facts)):
        yield Chart("durations", "Where the time went", draw.durations(spans))


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


def _why(facts: Facts) -> str:
    if facts.status not in {"Failed", "CompletedWithFailures"}:
        return ""
    told = [f"{step.name}: {step.reason}" for step in facts.steps if step.status == "Failed" and step.reason]
    return "; ".join(told) or facts.reason


def _staging(package: Json) -> dict[str, Any]:
    """What the staging endpoint found, as the model package has it; empty where it found nothing (yet)."""
    found = package.get("CustomerMetadataProperties", {})
    if "staging_outcome" not in found:
        return {}
    failed = found["staging_outcome"] != "passed"
    return {
        "outcome": found["staging_outcome"],
        "words": "Asked for test pictures in service, as deliveries will ask, before anybody approves it.",
        "reason": package.get("ApprovalDescription", "") if failed else "",
        "facts": [
            ("endpoint", found.get("staging", "")),
            ("test pictures", found.get("staging_pictures", "")),
            ("largest difference from the scores", found.get("staging_largest_difference", "")),
            ("latency, median", f"{found.get('staging_p50_ms', '-')} ms"),
            ("latency, 95 of 100 within", f"{found.get('staging_p95_ms', '-')} ms"),
            ("captured records", found.get("staging_captured", "")),
        ],
    }


def _headline(evaluation: Json, threshold: float) -> Iterator[Card]:
    found, images = evaluation["metrics"], evaluation["images"]
    right = round(found["accuracy"] * images)
    note = f"{right} of {images} test pictures; {interval(found, 'accuracy')}"
    yield Card("Accuracy", share(found["accuracy"]), note)
    if "near_duplicates" in found:
        repeated = f"{found['near_duplicates']} test pictures nearly repeat a training one"
        name = "accuracy_without_near_duplicates"
        value, note = (share(found[name]), f"; {interval(found, name)}") if name in found else ("none left", "")
        yield Card("Without near-duplicates", value, repeated + note)
    yield Card("Area under ROC", f"{found['auc']:.3f}", interval(found, "auc", ".3f"))
    name = "expected_calibration_error"
    yield Card("Calibration error", f"{found[name]:.3f}", interval(found, name, ".3f"))
    # what the nearest threshold of the curve at or above the set one accepts, and how rightly
    point = next((p for p in evaluation["threshold_curve"] if p["threshold"] >= threshold - 1e-9), None)
    if point is not None:
        note = f"{point['images']} pictures; {interval(point, 'share')}"
        yield Card(f"Accepted at {percent(point['threshold'])}", share(point["share"]), note)
        if point["accuracy"] is not None:
            yield Card("Accuracy among them", share(point["accuracy"]), interval(point, "accuracy"))


def _threshold_row(point: Json) -> list[str]:
    wrong = round(point["images"] * (1 - (point["accuracy"] or 0)))
    accuracy = "" if point["accuracy"] is None else share(point["accuracy"])
    return [f"{point['threshold']:.2f}", share(point["share"]), accuracy, str(wrong)]


def _look(facts: Facts) -> Iterator[tuple[str, list[Json], bool]]:
    """A heading, the answers whose pictures are there, and whether there were none to begin with."""
    for heading, key in LOOK.items():
        answers = (facts.evaluation or {}).get(key, [])
        there = [one for one in answers if one["image"] in facts.pictures]
        shown = list({facts.pictures[one["image"]]: one for one in reversed(there)}.values())[::-1]  # each picture once
        if shown or not answers:
            yield heading, shown, not answers


def _expectations(checks: Json) -> Iterator[Json]:
    for name, table in checks["tables"].items():
        for result in table["results"]:
            config, found = result["expectation_config"], result.get("result", {})
            yield {
                "held": bool(result["success"]),
                "words": config.get("description") or config["type"],
                "asked": _asked(name, config),
                "found": _found(found),
                "examples": ", ".join(map(_example, found.get("partial_unexpected_list", [])[:EXAMPLES])),
            }


def _example(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _asked(table: str, config: Json) -> str:
    """The expectation as Great Expectations has it, without what only it understands."""
    given = {k: v for k, v in config.get("kwargs", {}).items() if k != "batch_id" and v is not None}
    values = ", ".join(f"{name}={_short(value)}" for name, value in given.items())
    return f"{table}: {config['type']}({values})"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _found(result: Json) -> str:
    if "unexpected_count" in result:
        of = f" of {result['element_count']:,}" if result.get("element_count") else ""
        return f"{result['unexpected_count']:,} exceptions{of}"
    return "" if result.get("observed_value") is None else _short(result["observed_value"])


def _counts(images: Json) -> Iterator[list[Any]]:
    """How many pictures of each class are in each subset, and of all."""
    for name in next(iter(images.values()), {}):
        yield [name, *(images[subset].get(name, 0) for subset in images)]
    yield ["all", *(sum(images[subset].values()) for subset in images)]


def _sources(facts: Facts) -> list[tuple[str, str]]:
    values = facts.parameters
    return [
        ("data", values.get("InputArchiveUri", "")),
        ("data SHA-256", (facts.extract or {}).get("sha256") or values.get("InputArchiveSha256", "")),
        ("commit", values.get("CodeCommit", "not-recorded")),
        ("execution", facts.arn),
    ]


def _hyperparameters(training: Json) -> list[tuple[str, str]]:
    """What the job was given and, of our own training, what it took by itself."""
    given = {name: str(value).strip('"') for name, value in training.get("HyperParameters", {}).items()}
    ours = "pytorch" in str(training.get("AlgorithmSpecification", {}).get("TrainingImage", ""))
    known = {name: f"{value} (default)" for name, value in asdict(Hyperparameters()).items()} if ours else {}
    return sorted({**known, **given}.items())


def _time(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M %Z}".strip().lstrip("0")
