"""The report's page, from facts of every kind: good models, bad ones, and executions that did not get far."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scones.reports import publish
from scones.reports.document import document
from scones.reports.facts import Epoch, Facts, GateFact, StepFact
from scones.reports.figures import figures
from scones.reports.training_log import parse
from steps import near_duplicates, png
from steps.evaluate import evaluate

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited/execution/abcdefghijkl"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PICTURE = png.encode(np.full((4, 4, 3), 90, np.uint8))


def bare(**more: Any) -> Facts:
    return Facts(ARN, "abcdefghijkl", "Failed", "", BEGAN, BEGAN + timedelta(seconds=9), 0.93, **more)


def full(classes: tuple[str, ...] = ("bicycle", "motorcycle"), certain: bool = False) -> Facts:
    k, n = len(classes), 30 * len(classes)
    labels = np.arange(n) % k
    probabilities = np.random.default_rng(1).dirichlet(np.ones(k), n)
    probabilities[np.arange(n), labels] += 100 if certain else 0.4
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    images = [f"test-{i:05}.png" for i in range(n)]
    pair = near_duplicates.Pair(images[0], "train-00009.png", 3)
    evaluation = evaluate(labels, probabilities, classes, images, [pair])
    facts = bare(
        steps=[
            StepFact("ExtractCifar", "Cached", BEGAN, BEGAN, source="zyxwvutsrqpo", job="arn:job/x"),
            StepFact("Train", "Succeeded", BEGAN, BEGAN + timedelta(seconds=8.25), job="arn:job/train"),
        ],
        parameters={"Epochs": 30, "InputArchiveSha256": "ab" * 32, "CodeCommit": "c0ffee"},
        gates=[GateFact("metrics.accuracy", ">=", 0.8, "AccuracyThreshold", evaluation["metrics"]["accuracy"])],
        evaluation=evaluation,
        manifests={"classes": list(classes), "images": {"validation": dict.fromkeys(classes, 20)}},
        epochs=[Epoch(0, 0.5, 0.45), Epoch(1, None, 0.6), Epoch(2, 0.8, 0.7)],
        pictures=dict.fromkeys([*images, "train-00009.png"], PICTURE),
        package={"ModelPackageArn": "arn:model-package/x/3", "ModelApprovalStatus": "PendingManualApproval"},
    )
    facts.status = "Succeeded"
    return facts


def page_of(facts: Facts) -> str:
    text = document(facts, figures(facts))
    Balanced().check(text)
    return text


class Balanced(HTMLParser):
    """Fails on an element that is closed in the wrong place or never."""

    def check(self, text: str) -> None:
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("classes", [("bicycle", "motorcycle"), ("bicycle", "bus", "motorcycle", "train", "tank")])
@pytest.mark.parametrize("certain", [False, True])
def test_the_page_shows_every_part_and_fetches_nothing(classes: tuple[str, ...], certain: bool) -> None:
    facts = full(classes, certain)
    text = page_of(facts)
    drawn = {figure.name for figure in figures(facts)}
    assert drawn == {
        *("training-curves", "confusion-matrix", "per-class", "roc", "reliability"),
        *("confidence", "threshold-curve", "durations"),
    }
    assert text.count("<svg") == len(drawn)
    assert not re.findall(r'(?:src|href)="(?!data:)', text) and "<script" not in text and "@import" not in text
    metrics = (facts.evaluation or {})["metrics"]
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    assert f"95% interval {100 * low:.1f}% to {100 * high:.1f}%" in text
    for fact in ("c0ffee", "ab" * 32, "zyxwvutsrqpo", "arn:model-package/x/3", "8.2 s", *classes):
        assert fact in text
    assert "prefers-color-scheme:dark" in text


def test_an_execution_that_failed_early_says_why_and_what_is_missing() -> None:
    failed = StepFact("ExtractCifar", "Failed", BEGAN, BEGAN + timedelta(seconds=2), reason="wrong <checksum>")
    text = page_of(bare(steps=[failed], missing=["The evaluation: it has no step Evaluate."]))
    assert "ExtractCifar: wrong &lt;checksum&gt;" in text
    assert "The evaluation: it has no step Evaluate." in text
    assert "no numbers about a model" in text


def test_an_execution_without_any_step_has_a_page() -> None:
    assert figures(bare()) == []
    assert "abcdefghijkl" in page_of(bare())


def test_a_broken_gate_and_a_broken_expectation_are_marked() -> None:
    facts = full()
    facts.gates = [GateFact("metrics.auc", ">=", 2.0, "MinimumAuc", 0.9), GateFact("metrics.x", "<=", 1, "X", None)]
    result = {"expectation_config": {"type": "t", "description": "every image is RGB"}, "success": False, "result": {}}
    facts.checks = {"tables": {"images": {"results": [result | {"result": {"unexpected_count": 3}}]}}}
    text = page_of(facts)
    assert text.count(">broken</span>") == 3 and "not there" in text
    assert "1 of 1 expectations are broken" in text and "every image is RGB" in text


def test_a_model_without_mistakes_says_so() -> None:
    text = page_of(full(certain=True))
    assert "There are none." in text


def test_pictures_that_are_gone_leave_no_hole() -> None:
    facts = full()
    facts.pictures = {}
    assert "<img" not in page_of(facts)


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


def test_the_files_are_the_page_and_its_charts_and_nothing_half_written_stays(tmp_path: Path) -> None:
    facts = full()
    content = publish.files("<p>", figures(facts))
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "old.png").write_bytes(b"left behind")
    file = publish.write(tmp_path, content)
    assert file == tmp_path / "index.html"
    assert {one.name for one in tmp_path.iterdir()} == set(content)
    assert all(content[name].startswith(b"\x89PNG") for name in content if name.endswith(".png"))
