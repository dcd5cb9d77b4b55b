"""The report's page, from facts of every kind: good models, bad ones, and executions that did not get far."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from execution_facts import BEGAN, PICTURE, bare, full
from html_page import Page, assert_self_contained, read_page

from pipelines.runs.training_log import Epoch, parse
from scones.reports.execution_page import _hyperparameters, _look, charts, page
from scones.reports.facts import Facts, GateFact, StepFact
from scones.reports.pages import write_page
from steps.live_comparison import compared
from steps.predictions import Predictions
from steps.train.hyperparameters import Hyperparameters


def page_of(facts: Facts) -> Page:
    found = read_page(page(facts))
    assert_self_contained(found)
    return found


@pytest.mark.parametrize("classes", [("bicycle", "motorcycle"), ("bicycle", "bus", "motorcycle", "train", "tank")])
@pytest.mark.parametrize("certain", [False, True])
def test_the_page_shows_every_part_and_fetches_nothing(classes: tuple[str, ...], certain: bool) -> None:
    facts = full(classes, certain)
    found = page_of(facts)
    assert set(found.charts) == {
        *("training-curves", "confusion-matrix", "per-class", "roc", "reliability"),
        *("confidence", "threshold-curve", "durations"),
    }
    metrics = (facts.evaluation or {})["metrics"]
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    assert f"95% interval {100 * low:.1f}% to {100 * high:.1f}%" in found.text
    for fact in ("c0ffee", "ab" * 32, "zyxwvutsrqpo", "arn:model-package/x/3", "8.2 s", *classes):
        assert fact in found.text
    assert ("PendingManualApproval", "warn") in found.badges
    for words in ("Size and speed", "3.3 MB", " pictures in 4.0 s on ml.m5.large", "Its steps", "QualityTooLow"):
        assert words in found.text
    assert set(found.addresses) >= {"#gate", "#speed", "#pictures", "#pipeline", "#lineage"}
    assert "prefers-color-scheme:dark" in found.styles[0] and "@media print" in found.styles[0]


def test_what_its_staging_endpoint_found_is_shown_and_why_it_was_rejected() -> None:
    facts = full()
    assert "On its staging endpoint" not in page_of(facts).text
    found = {"staging": "instance", "staging_outcome": "failed", "staging_pictures": "12 of 12"}
    found |= {"staging_largest_difference": "0.0002", "staging_p50_ms": "8.6", "staging_p95_ms": "19.7"}
    facts.package = {"ModelPackageArn": "arn:x/3", "ModelApprovalStatus": "Rejected"}
    facts.package |= {"CustomerMetadataProperties": found, "ApprovalDescription": "12 of 12 answers differ <b>"}
    shown = page_of(facts)
    for words in ("On its staging endpoint", "12 of 12 answers differ <b>", "8.6 ms", "19.7 ms", "0.0002"):
        assert words in shown.text
    assert ("failed", "bad") in shown.badges


def test_how_it_does_on_reviewed_deliveries_is_shown_beside_the_versions_that_answered_them() -> None:
    facts = full()
    assert "On reviewed deliveries" not in page_of(facts).text
    entries = [{"file": f"{n}.png", "label": n % 2, "answers": {"4": [0.9, 0.1]}} for n in range(40)]
    entries.append({"file": "cat.png", "label": None, "answers": {}})
    assert facts.evaluation is not None
    facts.evaluation["reviewed"] = compared(entries, Predictions(np.eye(2)[[*([0, 1] * 20), 0]], np.full(41, np.nan)))
    shown = page_of(facts).text
    for words in (
        "On reviewed deliveries",
        "100.0% of 40",
        "version 4",
        "50.0% 100.0% +.500 +.311 to +.641 40",
        "it would route 1",
    ):
        assert words in shown, shown[shown.find("On reviewed") :][:600]


def test_a_missing_accuracy_is_a_gap_and_the_best_epoch_is_marked() -> None:
    figure = next(chart for chart in charts(full()) if chart.name == "training-curves").figure
    band, validation = figure.data[1], figure.data[2]
    assert figure.data[0].y == (0.5, None, 0.8) and validation.y == (0.45, 0.6, 0.7)
    assert min(y for y in band.y if y is not None) < 0.45, "the interval of 40 pictures"
    assert [label.text for label in figure.layout.annotations] == ["best: 70%"]


def test_an_execution_that_failed_early_says_why_and_what_is_missing() -> None:
    failed = StepFact("ExtractCifar", "Failed", BEGAN, BEGAN + timedelta(seconds=2), reason="wrong <checksum>")
    text = page_of(bare(steps=[failed], missing=["The evaluation: it has no step Evaluate."])).text
    assert "ExtractCifar: wrong <checksum>" in text
    assert "The evaluation: it has no step Evaluate." in text
    assert "no numbers about a model" in text


def test_an_execution_without_any_step_has_a_page_without_scripts() -> None:
    found = page_of(bare())
    assert found.charts == {} and "abcdefghijkl" in found.text


def test_a_bound_that_is_not_met_and_an_expectation_that_does_not_hold_are_marked() -> None:
    facts = full()
    facts.gates = [GateFact("metrics.auc", ">=", 2.0, "MinimumAuc", 0.9), GateFact("metrics.x", "<=", 1, "X", None)]
    result = {"expectation_config": {"type": "t", "description": "every image is RGB"}, "success": False, "result": {}}
    facts.checks = {"tables": {"images": {"results": [result | {"result": {"unexpected_count": 3}}]}}}
    found = page_of(facts)
    assert found.badges.count(("not met", "bad")) == 2 and ("does not hold", "bad") in found.badges
    assert (
        "not there" in found.text
        and "1 of 1 expectations does not hold" in found.text
        and "every image is RGB" in found.text
    )


def test_a_gate_that_no_evaluation_came_to_is_not_called_missed() -> None:
    found = page_of(bare(gates=[GateFact("metrics.accuracy", ">=", 0.8, "AccuracyThreshold", None)]))
    assert ("not measured", "") in found.badges and ("not met", "bad") not in found.badges


def test_what_had_nothing_to_compare_with_is_not_called_met() -> None:
    facts = full()
    facts.gates = [GateFact("metrics.accuracy", ">=", 0.0, "MinimumFromLive", 0.9)]
    found = page_of(facts)
    assert "nothing: no comparison with a live model" in found.text
    assert ("not asked", "") in found.badges and ("met", "good") not in found.badges


def test_expectations_stand_in_the_report_with_what_they_ask_and_what_was_found() -> None:
    facts = full()
    config = {"type": "expect_column_values_to_be_in_set", "description": "every image is RGB"}
    config["kwargs"] = {"batch_id": "b", "column": "mode", "value_set": ["RGB"]}
    found = {"element_count": 1200, "unexpected_count": 2, "partial_unexpected_list": ["CMYK", "L"]}
    facts.checks = {
        "tables": {"images": {"results": [{"expectation_config": config, "success": False, "result": found}]}}
    }
    text = page_of(facts).text
    assert "images: expect_column_values_to_be_in_set(column=mode, value_set=['RGB'])" in text
    assert "2 exceptions of 1,200" in text and "such as CMYK, L" in text
    assert "Great Expectations" not in text, "its own pages are not there for whoever reads this file"


def test_hyperparameters_are_all_there_those_given_and_those_by_default() -> None:
    facts = full()
    image = {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6-cpu-py312"}
    facts.training = {"HyperParameters": {"epochs": "25"}, "AlgorithmSpecification": image}
    shown = dict(_hyperparameters(facts.training))
    assert shown["epochs"] == "25" and shown["label_smoothing"] == "0.1 (default)"
    assert set(shown) == {field.name for field in fields(Hyperparameters)}


def test_a_picture_is_shown_once_however_often_it_is_in_the_test_set() -> None:
    facts = full()
    names = [one["image"] for one in (facts.evaluation or {})["least_certain"]]
    facts.pictures = dict.fromkeys(facts.pictures, PICTURE)
    assert len(names) > 1
    shown = {heading: answers for heading, answers, _ in _look(facts)}
    assert [one["image"] for one in shown["Least certain"]] == names[:1]


def test_a_model_without_mistakes_says_so() -> None:
    assert "There are none." in page_of(full(certain=True)).text


def test_pictures_that_are_gone_leave_no_hole() -> None:
    facts = full()
    facts.pictures = {}
    assert page_of(facts).images == []


HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>" onload="alert(3)'


def test_markup_in_any_field_is_shown_as_text() -> None:
    facts = full((HOSTILE, "bus"))
    evaluation = facts.evaluation or {}
    for answer in (*evaluation["worst_mistakes"], *evaluation["least_certain"]):
        answer["image"] = HOSTILE
    pair = evaluation["near_duplicates"]["pairs"][0]
    pair["image"] = pair["training_image"] = evaluation["near_duplicates"]["hash"] = HOSTILE
    facts.pictures = {HOSTILE: PICTURE}
    facts.arn = facts.name = facts.status = facts.reason = HOSTILE
    facts.steps = [
        StepFact(HOSTILE, status, BEGAN, BEGAN, HOSTILE, HOSTILE, HOSTILE) for status in ("Failed", "Cached")
    ]
    facts.parameters = {HOSTILE: HOSTILE, "InputArchiveUri": HOSTILE, "CodeCommit": HOSTILE}
    facts.gates = [GateFact(HOSTILE, ">=", 1.0, HOSTILE, 2.0)]
    facts.extract = {"sha256": HOSTILE}
    config = {"type": HOSTILE, "description": HOSTILE}
    facts.checks = {"tables": {"t": {"results": [{"expectation_config": config, "success": True}]}}}
    facts.training = {"HyperParameters": {HOSTILE: HOSTILE}}
    facts.package = {"ModelPackageArn": HOSTILE, "ModelApprovalStatus": HOSTILE}
    facts.missing = [HOSTILE]
    for status in ("Failed", HOSTILE):
        facts.status = status
        found = page_of(facts)
        assert found.text.count(HOSTILE) > 30
        assert all(label in found.labels for label in found.charts)


def test_the_log_lines_of_both_algorithms_are_read() -> None:
    log = [
        "[11/20/2026 10:00:00 INFO 140] Epoch[0] Batch [20]\tSpeed: 300.1 samples/sec\taccuracy=0.5",
        "[11/20/2026 10:00:01 INFO 140] Epoch[0] Train-accuracy=0.500000",
        "[11/20/2026 10:00:01 INFO 140] Epoch[0] Validation-accuracy=0.450000",
        "Epoch[10] Train-accuracy=0.9 Epoch[10] Validation-accuracy=0.8",
        "Epoch[2] Validation-accuracy=0.7",
        "Epoch[2] Validation-accuracy=0.75",
    ]
    assert parse(log) == [Epoch(0, 0.5, 0.45), Epoch(2, None, 0.75), Epoch(10, 0.9, 0.8)]


def test_a_page_replaces_an_earlier_one_and_nothing_half_written_stays(tmp_path: Path) -> None:
    for text in ("<p>first", "<p>second"):
        assert write_page(tmp_path / "new" / "index.html", text).read_text() == text
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["index.html"]
