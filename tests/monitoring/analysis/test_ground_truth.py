"""Labels that people give, and what they say about the model on live traffic."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture_files import CLASSES, NOON, entry, write
from monitor_support import Monitor

from monitoring.analysis import ground_truth
from monitoring.analysis.capture import Tally
from project.errors import DataError, UsageError
from project.files import write_json, write_text

QUALITY = {"analysis_type": "MODEL_QUALITY", "classes": "bicycle,motorcycle"}


def write_labels(folder: Path, labels: dict[str, int], now: datetime, name: str) -> Path:
    """A file of labels where `scones monitor label` would put it; its path."""
    path = folder / ground_truth.key(now, name)
    write_text(path, ground_truth.text(labels))
    return path


def labelled(folder: Path, right: int, wrong: int, *, inference_ids: bool = False) -> None:
    """Traffic of both classes by turns with labels, `right` of which agree with the answer."""
    entries, labels = [], {}
    for i in range(right + wrong):
        said = i % 2
        entries.append(
            entry(f"e{i}", (0.2, 0.8) if said else (0.8, 0.2), None, inference_id=f"i{i}" if inference_ids else "")
        )
        labels[f"i{i}" if inference_ids else f"e{i}"] = said if i < right else 1 - said
    write(folder / "capture" / "a.jsonl", entries)
    write_labels(folder / "labels", labels, NOON, "test")


def constraints(folder: Path, **thresholds: float) -> Path:
    rules = {n: {"threshold": t, "comparison_operator": "LessThanThreshold"} for n, t in thresholds.items()}
    write_json(folder / "rules.json", {"version": 0.0, "binary_classification_constraints": rules})
    return folder / "rules.json"


def run(monitor: Monitor, folder: Path, rules: Path | None = None, **variables: str) -> None:
    told = {**QUALITY, "ground_truth_source": str(folder / "labels"), **variables}
    if rules:
        told["baseline_constraints"] = str(rules)
    monitor.run(folder / "capture", None, **told)


@pytest.mark.parametrize("inference_ids", [False, True])
def test_labels_are_joined_by_inference_id_or_else_by_event_id(
    monitor: Monitor, tmp_path: Path, inference_ids: bool
) -> None:
    labelled(tmp_path, right=45, wrong=5, inference_ids=inference_ids)
    run(monitor, tmp_path, constraints(tmp_path, accuracy=0.8))
    assert monitor.message == "Completed: Job completed successfully with no violations."
    found = monitor.wrote("statistics.json")
    assert found["dataset"]["item_count"] == 50
    metrics = found["binary_classification_metrics"]
    assert metrics["accuracy"] == {"value": 0.9, "standard_deviation": "NaN"}
    matrix = metrics["confusion_matrix"]
    assert sum(matrix[a][p] for a in "01" for p in "01") == 50 and matrix["0"]["0"] + matrix["1"]["1"] == 45
    assert {metric["MetricName"] for metric in monitor.metrics()} == {"accuracy"}


def test_a_model_worse_than_its_constraints_is_a_violation(monitor: Monitor, tmp_path: Path) -> None:
    labelled(tmp_path, right=30, wrong=20)
    run(monitor, tmp_path, constraints(tmp_path, accuracy=0.8, recall=0.1))
    assert monitor.violations == {("accuracy", "LessThanThreshold")}
    (found,) = monitor.wrote("constraint_violations.json")["violations"]
    assert found["description"] == "Metric accuracy with 0.6000 was less than the threshold 0.8000."
    assert monitor.message.startswith("CompletedWithViolations:")


@pytest.mark.parametrize(
    ("right", "minimum", "rules", "says"),
    [
        (0, "30", True, "NoData: no labelled record"),
        (10, "30", True, "TooFewRecords: 10 labelled records in the time window; a verdict needs 30."),
        (1, "1", True, "TooFewRecords: 1 labelled record "),  # of one class only
        (40, "30", False, "NoBaseline: 40 labelled records read"),
    ],
)
def test_too_few_labels_are_outcomes_of_their_own(
    monitor: Monitor, tmp_path: Path, right: int, minimum: str, rules: bool, says: str
) -> None:
    labelled(tmp_path, right=right, wrong=0)
    run(monitor, tmp_path, constraints(tmp_path, accuracy=0.8) if rules else None, minimum_records=minimum)
    assert monitor.message.startswith(says)
    assert monitor.violations == set()


def test_a_rare_class_among_many_labels_can_still_be_measured(monitor: Monitor, tmp_path: Path) -> None:
    write(tmp_path / "capture" / "a.jsonl", [entry(f"e{i}", (0.8, 0.2), None) for i in range(300)])
    write_labels(tmp_path / "labels", {f"e{i}": int(i == 7) for i in range(300)}, NOON, "test")
    run(monitor, tmp_path, constraints(tmp_path, accuracy=0.8))
    assert monitor.message.startswith("Completed:")
    assert monitor.wrote("statistics.json")["binary_classification_metrics"]["auc"]["value"] == 0.5


def test_records_that_a_merge_job_labelled_need_no_second_folder(monitor: Monitor, tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for i in range(40):
        merged = entry(f"e{i}", (0.2, 0.8) if i % 2 else (0.8, 0.2), None)
        entries.append({**merged, "groundTruthData": {"data": str(i % 2), "encoding": "CSV"}})
    write(tmp_path / "capture" / "a.jsonl", entries)
    monitor.run(tmp_path / "capture", None, **QUALITY, baseline_constraints=str(constraints(tmp_path, accuracy=0.9)))
    assert monitor.message.startswith("Completed:")


def test_the_last_label_of_an_event_counts_and_bad_ones_are_named(tmp_path: Path) -> None:
    write_labels(tmp_path, {"a": 0, "b": 1}, NOON, "first")
    write_labels(tmp_path, {"a": 1}, NOON.replace(hour=15), "second")
    nobody: list[Any] = [None, "", "  ", 7]
    lines = ["{", "[]", json.dumps(ground_truth.record("c", 7)), "null"]
    lines += [json.dumps(ground_truth.record(event, 1)) for event in nobody]
    bad = write(tmp_path / "2026/05/04/16/x.jsonl", lines)
    tally = Tally()
    assert ground_truth.read(tmp_path, CLASSES, tally) == {"a": 1, "b": 1}
    assert tally.bad == len(lines)
    assert tally.problems[2] == f"{bad}:3: no label: ValueError: There is no class '7'."
    assert tally.problems[4] == f"{bad}:5: no label: ValueError: eventMetadata.eventId is None"


def test_compressed_files_of_labels_are_read_and_cut_ones_named(tmp_path: Path) -> None:
    content = gzip.compress(ground_truth.text({f"e{number}": 1 for number in range(2000)}).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(content)
    (tmp_path / "b.jsonl.gz").write_bytes(content[:-30])
    (tmp_path / "c.csv").write_text("e,1", encoding="utf-8")
    tally = Tally()
    assert len(ground_truth.read(tmp_path, CLASSES, tally)) == 2000
    assert (tally.files, tally.bad, tally.passed_over) == (2, 1, 1)
    assert "b.jsonl.gz" in tally.problems[1] and "cannot be read on" in tally.problems[1]


def test_labels_for_what_was_never_captured_are_counted_and_named(monitor: Monitor, tmp_path: Path) -> None:
    labelled(tmp_path, right=40, wrong=0)
    write_labels(tmp_path / "labels", {"never": 1, "captured": 0}, NOON, "more")
    run(monitor, tmp_path, constraints(tmp_path, accuracy=0.8))
    assert monitor.message.startswith("Completed:")
    assert monitor.wrote("summary.json")["unmatched_labels"] == 2
    for event in ("never", "captured"):
        assert f"label of event {event!r}: no captured answer of this window has it" in monitor.log


def test_labels_are_filed_by_the_hour_in_utc(tmp_path: Path) -> None:
    path = write_labels(tmp_path, {"a": 1}, datetime(2026, 5, 4, 12, 34, 56, tzinfo=UTC), "me")
    assert path == tmp_path / "2026/05/04/12/34-56-me.jsonl"
    assert [p.name for p in path.parent.iterdir()] == ["34-56-me.jsonl"]


def test_a_class_is_named_or_numbered_and_nothing_else() -> None:
    assert ground_truth.label_of("motorcycle", CLASSES) == ground_truth.label_of("1", CLASSES) == 1
    with pytest.raises(UsageError, match=r"no class 'car'\. Classes: bicycle, motorcycle"):
        ground_truth.label_of("car", CLASSES)


def test_constraints_for_a_metric_that_there_is_not_fail_the_job(monitor: Monitor, tmp_path: Path) -> None:
    labelled(tmp_path, right=40, wrong=0)
    with pytest.raises(DataError, match="the rule for 'beauty' cannot be used"):
        run(monitor, tmp_path, constraints(tmp_path, beauty=0.5))


def test_without_classes_model_quality_cannot_be_asked(monitor: Monitor, tmp_path: Path) -> None:
    labelled(tmp_path, right=40, wrong=0)
    with pytest.raises(DataError, match="classes are not known"):
        run(monitor, tmp_path, classes="")


def test_more_than_two_classes(monitor: Monitor, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = {f"e{i}": int(random.integers(3)) for i in range(60)}
    entries = [entry(e, [0.8 if c == label else 0.1 for c in range(3)], None) for e, label in labels.items()]
    write(tmp_path / "capture" / "a.jsonl", entries)
    write_labels(tmp_path / "labels", labels, NOON, "test")
    run(monitor, tmp_path, classes="a,b,c")
    assert monitor.wrote("statistics.json")["multiclass_classification_metrics"]["accuracy"]["value"] == 1.0
