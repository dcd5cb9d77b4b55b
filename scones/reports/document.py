"""The report as one HTML page: what a person asks first comes first, and what is missing is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from scones.reports.charts import page
from scones.reports.charts.axes import percent
from scones.reports.charts.page import Card
from scones.reports.facts import PICTURES, Facts, StepFact
from scones.reports.figures import Figure

Json = dict[str, Any]
ROUTED = "A delivery is routed without a person only when the model's confidence reaches the threshold."
LEARNED = ("training-curves", "confusion-matrix", "per-class", "roc")
TRUSTED = ("threshold-curve", "reliability", "confidence")
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)


def document(facts: Facts, figures: Sequence[Figure]) -> str:
    """The whole page, with nothing in it that would have to be fetched."""
    by_name = {figure.name: figure for figure in figures}
    body = [_headline(facts), _gate(facts)]
    if learned := _shown(by_name, LEARNED):
        body.append(page.section("What it learned", page.grid(*learned)))
    if trusted := _shown(by_name, TRUSTED):
        body.append(page.section("When to trust it", page.grid(*trusted, _thresholds(facts)), intro=ROUTED))
    body += [_pictures(facts), _near_duplicates(facts), _checks(facts), _lineage(facts, by_name.get("durations"))]
    body.append(_missing(facts))
    title = f"Execution {facts.name}"
    foot = f"{facts.arn} · written from what the cloud recorded; numbers as in its evaluation.json."
    return page.page(title, _lead(facts), [part for part in body if part], foot)


def _lead(facts: Facts) -> str:
    tone = {"Succeeded": "good", "Failed": "bad"}.get(facts.status, "warn")
    classes = ", ".join((facts.evaluation or facts.manifests or {}).get("classes", []))
    about = [page.badge(facts.status, tone), escape(_time(facts.started)), escape(classes)]
    reason = f'<p class="bad">{escape(_why(facts))}</p>' if facts.status == "Failed" and _why(facts) else ""
    return f"<p>{' &nbsp; '.join(part for part in about if part)}</p>{reason}"


def _why(facts: Facts) -> str:
    told = [f"{step.name}: {step.reason}" for step in facts.steps if step.status == "Failed" and step.reason]
    return "; ".join(told) or facts.reason


def _headline(facts: Facts) -> str:
    if facts.evaluation is None:
        return page.panel("<p>This execution has no evaluation, so there are no numbers about a model.</p>")
    evaluation, found = facts.evaluation, facts.evaluation["metrics"]
    right, images = round(found["accuracy"] * evaluation["images"]), evaluation["images"]
    entries = [
        Card("Accuracy", _share(found["accuracy"]), f"{right} of {images} test pictures; {_bounds(found, 'accuracy')}")
    ]
    if "near_duplicates" in found:
        entries.append(_unlike(found))
    entries.append(Card("Area under ROC", f"{found['auc']:.3f}", _bounds(found, "auc", ".3f")))
    calibration = found["expected_calibration_error"]
    entries.append(Card("Calibration error", f"{calibration:.3f}", _bounds(found, "expected_calibration_error", ".3f")))
    entries += _at_threshold(evaluation, facts.confidence_threshold)
    return page.cards(entries)


def _unlike(found: Json) -> Card:
    name, repeated = "Without near-duplicates", f"{found['near_duplicates']} test pictures nearly repeat a training one"
    if "accuracy_without_near_duplicates" not in found:
        return Card(name, "none left", repeated)
    value = _share(found["accuracy_without_near_duplicates"])
    return Card(name, value, f"{repeated}; {_bounds(found, 'accuracy_without_near_duplicates')}")


def _at_threshold(evaluation: Json, threshold: float) -> list[Card]:
    """What the nearest threshold of the curve at or above the set one accepts, and how rightly."""
    point = next((p for p in evaluation["threshold_curve"] if p["threshold"] >= threshold - 1e-9), None)
    if point is None:
        return []
    at = percent(point["threshold"])
    accepted = Card(
        f"Accepted at {at}", _share(point["share"]), f"{point['images']} pictures; {_bounds(point, 'share')}"
    )
    if point["accuracy"] is None:
        return [accepted]
    return [accepted, Card("Accuracy among them", _share(point["accuracy"]), _bounds(point, "accuracy"))]


def _gate(facts: Facts) -> str:
    if not facts.gates:
        return ""
    rows = []
    for gate in facts.gates:
        value = "not there" if gate.value is None else f"{gate.value:.4g}"
        verdict = page.badge("kept", "good") if gate.kept else page.badge("broken", "bad")
        bound = f"{'at least' if gate.sign == '>=' else 'at most'} {gate.bound:.4g}"
        metric, parameter = escape(gate.metric.removeprefix("metrics.")), escape(gate.parameter)
        rows.append([f'{metric}<br><small class="muted">{parameter}</small>', value, bound, verdict])
    header = ["metric, and its parameter", "measured", "asked for", ""]
    return page.section("The quality gate", page.panel(page.table(header, rows)))


def _shown(figures: Mapping[str, Figure], names: Sequence[str]) -> list[str]:
    return [page.figure(f.title, f.drawing, f.caption) for name in names if (f := figures.get(name))]


def _thresholds(facts: Facts) -> str:
    """The threshold curve as numbers, for whoever has to choose."""
    rows = []
    for point in (facts.evaluation or {}).get("threshold_curve", []):
        if point["threshold"] in THRESHOLDS:
            wrong = round(point["images"] * (1 - (point["accuracy"] or 0))) if point["images"] else 0
            accuracy = "" if point["accuracy"] is None else _share(point["accuracy"])
            rows.append([f"{point['threshold']:.2f}", _share(point["share"]), accuracy, str(wrong)])
    header = ["threshold", "accepted", "right among them", "wrong pictures"]
    return page.panel(page.table(header, rows, numbers=3), title="Choosing a threshold")


def _pictures(facts: Facts) -> str:
    if facts.evaluation is None:
        return ""
    parts = []
    for title, key in (("Worst mistakes: wrong, and sure of it", "worst_mistakes"), ("Least certain", "least_certain")):
        shown = [
            _answer(facts, answer) for answer in facts.evaluation[key][:PICTURES] if answer["image"] in facts.pictures
        ]
        if shown:
            parts.append(f"<h3>{title}</h3>{page.strip(shown)}")
        elif not facts.evaluation[key]:
            parts.append(f'<h3>{title}</h3><p class="muted">There are none.</p>')
    return page.section("Look at them", *parts) if parts else ""


def _answer(facts: Facts, answer: Json) -> tuple[list[str], str]:
    image = page.picture(facts.pictures[answer["image"]], f"{answer['image']}: {answer['actual']}")
    wrong = answer["actual"] != answer["predicted"]
    said = (
        f'<b class="{"bad" if wrong else "good"}">{escape(answer["predicted"])}</b><br>{answer["confidence"]:.0%} sure'
    )
    return [image], said + (f"<br>is {escape(answer['actual'])}" if wrong else "")


def _near_duplicates(facts: Facts) -> str:
    found = (facts.evaluation or {}).get("near_duplicates")
    if not found:
        return ""
    shown = []
    for pair in found["pairs"]:
        if {pair["image"], pair["training_image"]} <= set(facts.pictures):
            both = [page.picture(facts.pictures[pair[key]], pair[key]) for key in ("image", "training_image")]
            shown.append((both, f"{pair['distance']} of 64 bits apart"))
    told = (
        f"{found['images']} of the test pictures look like one that the training saw: they say little about new ones. "
        f"({found['hash']}; at most {found['threshold']} bits apart.)"
    )
    return page.section("Near-duplicates", page.strip(shown, wide=True), intro=told + " Left: test, right: training.")


def _checks(facts: Facts) -> str:
    if facts.checks is None:
        return ""
    rows: dict[bool, list[list[str]]] = {True: [], False: []}
    for table in facts.checks["tables"].values():
        for result in table["results"]:
            config, held = result["expectation_config"], bool(result["success"])
            count = result.get("result", {}).get("unexpected_count")
            verdict = page.badge("holds", "good") if held else page.badge("broken", "bad")
            about = escape(config.get("description") or config["type"])
            rows[held].append([verdict, about, "" if count is None else str(count)])
    n = len(rows[True]) + len(rows[False])
    told = f"{len(rows[False])} of {n} expectations are broken." if rows[False] else f"All {n} expectations hold."
    header = ["", "expectation", "exceptions"]
    listed = page.table(header, rows[False], numbers=1) if rows[False] else ""
    if rows[True]:
        kept = page.table(header, rows[True], numbers=1)
        listed += f"<details><summary>the {len(rows[True])} that hold</summary>{kept}</details>"
    where = f"<p><small>Great Expectations' own pages: <code>{escape(facts.checks_uri)}</code></small></p>"
    panels = page.panel(_counts(facts), title="Pictures"), page.panel(listed, where, title="Expectations")
    return page.section("Data checks", page.grid(*panels), intro=told)


def _counts(facts: Facts) -> str:
    images = (facts.manifests or {}).get("images", {})
    if not images:
        return ""
    classes = list(next(iter(images.values())))
    rows = [[escape(name), *(str(images[subset].get(name, 0)) for subset in images)] for name in classes]
    rows.append(["<b>all</b>", *(f"<b>{sum(images[subset].values())}</b>" for subset in images)])
    return page.table(["class", *images], rows, numbers=len(images))


def _lineage(facts: Facts, durations: Figure | None) -> str:
    values = facts.parameters
    checksum = (facts.extract or {}).get("sha256") or values.get("InputArchiveSha256", "")
    entries = [
        ("data", f"<code>{escape(str(values.get('InputArchiveUri', '')))}</code>"),
        ("data SHA-256", f"<code>{escape(str(checksum))}</code>"),
        ("commit", f"<code>{escape(str(values.get('CodeCommit', 'not-recorded')))}</code>"),
        ("execution", f"<code>{escape(facts.arn)}</code>"),
        *_model(facts),
        *((step.name, _made(step)) for step in facts.steps if step.job or step.source),
    ]
    told = [(name, escape(str(value))) for name, value in sorted(values.items())]
    hyperparameters = sorted((facts.training or {}).get("HyperParameters", {}).items())
    learned = [(name, escape(str(value).strip('"'))) for name, value in hyperparameters]
    panels = [page.panel(page.facts(told), title="Parameters")] if told else []
    if learned:
        panels.append(page.panel(page.facts(learned), title="Hyperparameters"))
    if durations:
        panels.insert(0, page.figure(durations.title, durations.drawing, durations.caption))
    return page.section("Where it comes from", page.panel(page.facts(entries)), page.grid(*panels))


def _model(facts: Facts) -> list[tuple[str, str]]:
    if not facts.package:
        return []
    arn, status = facts.package["ModelPackageArn"], facts.package.get("ModelApprovalStatus", "")
    tone = {"Approved": "good", "Rejected": "bad"}.get(status, "warn")
    return [("model package", f"<code>{escape(arn)}</code> {page.badge(status, tone)}")]


def _made(step: StepFact) -> str:
    origin = f"cached from execution {escape(step.source)}" if step.status == "Cached" else ""
    seconds = "" if step.seconds is None or origin else f"{step.seconds:.1f} s"
    return " ".join(
        part for part in (seconds or origin, f"<code>{escape(step.job)}</code>" if step.job else "") if part
    )


def _missing(facts: Facts) -> str:
    if not facts.missing:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in facts.missing)
    return page.section("Not in this report", page.panel(f"<ul>{lines}</ul>"))


def _bounds(found: Json, name: str, form: str = "") -> str:
    low, high = found[f"{name}_low"], found[f"{name}_high"]
    written = (format(low, form), format(high, form)) if form else (_share(low), _share(high))
    return f"95% interval {written[0]} to {written[1]}"


def _share(value: float) -> str:
    return f"{100 * value:.1f}%"


def _time(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M %Z}".strip().lstrip("0")
