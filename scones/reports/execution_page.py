"""The report of one execution as an HTML page: what a person asks first comes first, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pipelines.runs import live_comparison
from scones.reports import pages
from scones.reports.charts.pipeline_graph import pipeline_graph
from scones.reports.charts.words import percent
from scones.reports.execution_charts import charts
from scones.reports.expectations import expectations
from scones.reports.facts import Facts
from scones.reports.pages import Card, interval, share
from scones.reports.verdict import failure, verdict
from scones.reports.version_tables import all_versions, beside_rival, name_of_model
from steps.train.hyperparameters import Hyperparameters

Json = Mapping[str, Any]
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)
"""Those of the curve that stand in the table for choosing one."""
LOOK = {"Worst mistakes: wrong, and sure of it": "worst_mistakes", "Least certain": "least_certain"}


def page(facts: Facts) -> str:
    """The whole page, with nothing in it that would have to be fetched."""
    evaluation, manifests = facts.evaluation or {}, facts.manifests or {}
    images: Json = manifests.get("images", {})
    return pages.render(
        "execution.html",
        list(charts(facts)),
        title=f"{facts.pipeline}, {f'execution {facts.id}' if facts.version is None else f'version {facts.version}'}",
        verdict=verdict(facts),
        facts=facts,
        began=_time(facts.started),
        classes=(facts.evaluation or manifests).get("classes", []),
        why="" if any(not gate.is_met for gate in facts.gates) else failure(facts),
        model=name_of_model(facts),
        beside=list(beside_rival(facts)),
        versions=list(all_versions(facts)),
        sizes=list(_sizes(facts)),
        staging=_staging(facts.package or {}),
        reviewed=_reviewed(evaluation.get("reviewed", {})),
        headline=list(_headline(evaluation, facts.confidence_threshold)) if evaluation else [],
        thresholds=[_threshold_row(p) for p in evaluation.get("threshold_curve", []) if p["threshold"] in THRESHOLDS],
        look=list(_look(facts)),
        samples=_samples(facts),
        expectations=None if facts.checks is None else list(expectations(facts.checks)),
        images=images,
        counts=list(_counts(images)),
        graph=Markup(pipeline_graph(facts.graph)) if facts.graph else "",  # noqa: S704  # it escapes every text
        sources=_sources(facts),
        hyperparameters=_hyperparameters(facts.training or {}),
    )


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
            ("captured records", found.get("staging_captured", "")),
        ],
    }


def _sizes(facts: Facts) -> Iterator[Card]:
    """What the model weighs, and how fast it was measured to be, with how."""
    if facts.model_bytes is not None:
        yield Card("Size", size(facts.model_bytes), "model.tar.gz, compressed")
    found = (facts.package or {}).get("CustomerMetadataProperties", {})
    if found.get("staging_p50_ms", "-") != "-":
        slowest, pictures = found["staging_p95_ms"], found["staging_pictures"]
        how = f"95 of 100 within {slowest} ms. {pictures} test pictures, one after the other, on the staging endpoint; "
        yield Card("Latency, median", f"{found['staging_p50_ms']} ms", f"{how}as its caller saw it")
    if one := facts.scoring:
        each = 1000 * one.seconds / max(1, one.pictures)
        how = f"{one.pictures:,} pictures in {one.seconds:.1f} s on {one.instance}: the whole transform job, "
        yield Card("Batch scoring", f"{each:.3g} ms each", f"{how}its start included")


def size(number: int) -> str:
    """A number of bytes as people write it."""
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"


def _samples(facts: Facts) -> list[tuple[str, list[str]]]:
    """Each class with those of its sample pictures that are there."""
    there = [(name, [one for one in names if one in facts.pictures]) for name, names in facts.samples.items()]
    return [(name, names) for name, names in there if names]


def _reviewed(found: Json) -> dict[str, Any]:
    """How the model does on the live test set, beside each version that answered some of it; empty without any."""
    if not found.get("images"):
        return {}
    words = "Deliveries that people labelled and no model learns from: this one is right about "
    words += f"{share(found['accuracy'])} of {found['images']} ({interval(found, 'accuracy')})."
    rows = []
    for one in found["versions"]:
        value, low, high = live_comparison.bounded(one)
        then, now = share(one["accuracy"]), share(one["new"])
        rows.append([f"version {one['version']}", then, now, value, f"{low} to {high}", str(one["images"])])
    return {"words": f"{words} {live_comparison.neither(found)}".rstrip(), "rows": rows}


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
