"""The monitoring job: which outcome which traffic has, and which check says what."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture_files import NOON, entry, picture, traffic, write
from monitor_support import Monitor

from monitoring.analysis import outcome
from monitoring.analysis.outcome import Outcome
from project.errors import DataError, UsageError


def test_ordinary_traffic_is_healthy(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    monitor.run(traffic(tmp_path / "capture", 200, seed=1), baseline_folder)
    assert monitor.violations == set()
    assert monitor.message == "Completed: Job completed successfully with no violations."
    assert monitor.wrote("summary.json")["outcome"] == "Completed"


@pytest.mark.parametrize(
    ("shift", "features"),
    [
        ({"shade": 0.6}, {"brightness", "red_mean", "green_mean", "blue_mean"}),
        ({"noise": 40.0}, {"sharpness", "contrast"}),
        ({"sure": 1.5}, {"confidence", "low_confidence"}),
        ({"share": 0.9}, {"predicted_class"}),
    ],
)
def test_each_kind_of_drift_is_named_by_its_feature(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path, shift: dict[str, float], features: set[str]
) -> None:
    monitor.run(traffic(tmp_path / "capture", 200, seed=2, **shift), baseline_folder)  # type: ignore[arg-type]  # floats
    assert {(feature, "baseline_drift_check") for feature in features} <= monitor.violations
    n = len(monitor.wrote("constraint_violations.json")["violations"])
    assert monitor.message == f"CompletedWithViolations: Job completed successfully with {n} violations."


def test_a_drift_says_how_far_and_how_far_is_allowed(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    monitor.run(traffic(tmp_path / "capture", 200, seed=2, shade=0.6, share=0.95), baseline_folder)
    found = monitor.wrote("constraint_violations.json")["violations"]
    text = {one["feature_name"]: one["description"] for one in found}
    assert text["brightness"].startswith("Baseline drift distance: 0.")
    assert "is below threshold: 0.003 (distance: 0." in text["predicted_class"]
    severity = {one["feature"]: one["severity"] for one in monitor.wrote("summary.json")["drift"]}
    for name in ("brightness", "predicted_class"):
        assert text[name].endswith(f": {severity[name]:.1f} times what is allowed")
    gap, allowed = (float(word.strip(":")) for word in text["brightness"].split() if word[0] == "0")
    assert gap / allowed == pytest.approx(severity["brightness"], rel=0.01)


def test_more_unfamiliar_pictures_than_in_the_baseline_are_a_violation(
    tmp_path: Path, monitor: Monitor, baseline_folder: Path
) -> None:
    monitor.run(traffic(tmp_path / "usual", 300, seed=8, strange=0.05), baseline_folder)
    assert not any(feature == "unfamiliar" for feature, _ in monitor.violations)
    said = monitor.wrote("summary.json")
    assert said["baseline_unfamiliar_share"] == pytest.approx(0.05, abs=0.03)  # what its limit of .95 leaves
    monitor.run(traffic(tmp_path / "strange", 300, seed=9, strange=0.5), baseline_folder)
    assert ("unfamiliar", "baseline_drift_check") in monitor.violations
    assert monitor.wrote("summary.json")["unfamiliar_share"] == pytest.approx(0.5, abs=0.1)
    monitor.run(traffic(tmp_path / "again", 300, seed=9, strange=0.5), baseline_folder, unfamiliarity_limit="0.995")
    assert not any(feature == "unfamiliar" for feature, _ in monitor.violations), "the limit is that of today"


def test_a_caller_that_is_not_told_how_unfamiliar_pictures_are_misses_no_column(
    tmp_path: Path, monitor: Monitor, baseline_folder: Path
) -> None:
    """Who asks for application/json gets it in a header, which capture does not keep."""
    monitor.run(traffic(tmp_path / "capture", 60, seed=1), baseline_folder)
    assert monitor.violations == set() and monitor.wrote("summary.json")["unfamiliar_share"] is None


def test_more_confidence_than_in_the_baseline_is_no_low_confidence(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    monitor.run(traffic(tmp_path / "capture", 200, seed=2, sure=400.0), baseline_folder)
    assert ("confidence", "baseline_drift_check") in monitor.violations
    assert ("low_confidence", "baseline_drift_check") not in monitor.violations


def test_low_confidence_is_compared_at_the_threshold_of_today(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    source = traffic(tmp_path / "capture", 200, seed=1)
    monitor.run(source, baseline_folder, confidence_threshold="0.99")
    said = monitor.wrote("summary.json")
    assert said["low_confidence_share"] > 0.5  # most pictures, and of the baseline's as well
    assert said["baseline_low_confidence_share"] == pytest.approx(said["low_confidence_share"], abs=0.1)
    assert monitor.violations == set()


@pytest.mark.parametrize(
    ("records", "with_baseline", "says"),
    [
        (0, True, "NoData: no record in the time window; nothing can be said about it."),
        (0, False, "NoData: no record in the time window; nothing can be said about it."),
        (1, True, "TooFewRecords: 1 record in the time window; a verdict needs 30."),
        (29, True, "TooFewRecords: 29 records in the time window; a verdict needs 30."),
        (40, False, "NoBaseline: 40 records read, and no baseline to compare them with."),
    ],
)
def test_too_little_to_judge_is_neither_healthy_nor_a_failure(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path, records: int, with_baseline: bool, says: str
) -> None:
    source = traffic(tmp_path / "capture", records, seed=3, shade=0.5)
    monitor.run(source, baseline_folder if with_baseline else None)
    assert monitor.message == says
    assert monitor.violations == set()
    found = outcome.of_message(says)
    assert found and not found.judged
    named = {metric["MetricName"] for metric in monitor.metrics()}
    assert named <= {"feature_data_low_confidence"}, "a drift of zero here would look healthy"


def test_only_two_outcomes_are_verdicts_and_messages_tell_them_all() -> None:
    assert [one for one in Outcome if one.judged] == [Outcome.HEALTHY, Outcome.VIOLATIONS]
    for one in Outcome:
        assert outcome.of_message(outcome.message(one, records=3, least=30, violations=2)) is one
    assert outcome.of_message("ClientError: no such thing") is None


def test_traffic_of_other_hours_is_not_judged(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    source = traffic(tmp_path / "capture", 100, seed=1)
    traffic(source, 100, seed=2, start=NOON + timedelta(hours=3), shade=0.4)
    monitor.run(source, baseline_folder, start_time="2026-05-04T12:00:00Z", end_time="2026-05-04T13:00:00Z")
    assert monitor.message.startswith("Completed:")
    assert monitor.wrote("statistics.json")["dataset"]["item_count"] == 100
    monitor.run(source, baseline_folder, start_time="2026-05-04T20:00:00Z", end_time="2026-05-04T21:00:00Z")
    assert monitor.message.startswith("NoData:")


def test_a_folder_that_was_never_written_has_no_data(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    monitor.run(tmp_path / "nothing", baseline_folder)
    assert monitor.message.startswith("NoData:")


def test_requests_without_pictures_miss_every_picture_column(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    write(tmp_path / "capture" / "a.jsonl", [entry(f"e{i}", (0.97, 0.03), None) for i in range(40)])
    monitor.run(tmp_path / "capture", baseline_folder)
    missing = {feature for feature, check in monitor.violations if check == "missing_column_check"}
    assert {"width", "mode", "brightness", "blue_mean"} <= missing and "confidence" not in missing
    monitor.run(tmp_path / "capture", baseline_folder, picture_features="Disabled")
    assert {check for _, check in monitor.violations} <= {"baseline_drift_check"}


def test_a_column_that_the_baseline_does_not_know_is_extra(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    changed = copied(baseline_folder, tmp_path / "b", drop={"saturation"})
    monitor.run(traffic(tmp_path / "capture", 60, seed=1), changed)
    assert monitor.violations == {("saturation", "extra_column_check")}


def test_half_of_the_answers_missing_is_incomplete(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    source = traffic(tmp_path / "capture", 60, seed=1)
    sent = picture(np.random.default_rng(0))
    write(source / "b.jsonl", [entry(f"empty{i}", None, sent) for i in range(60)])
    monitor.run(source, baseline_folder)
    incomplete = {feature for feature, check in monitor.violations if check == "completeness_check"}
    assert incomplete == {"confidence", "margin", "entropy", "predicted_class", "low_confidence"}


def test_answers_of_another_type_violate_the_data_type(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    source = traffic(tmp_path / "capture", 60, seed=1)
    write(source / "b.jsonl", [entry(f"nan{i}", (float("nan"), 0.5), None) for i in range(3)])
    monitor.run(source, baseline_folder)
    assert ("confidence", "data_type_check") in monitor.violations
    found = monitor.wrote("constraint_violations.json")["violations"]
    (text,) = (one["description"] for one in found if one["feature_name"] == "confidence")
    assert text == (
        "Data type match requirement is not met. Expected data type: Fractional, Expected match: 99.0%. "
        "Observed: Only 95.24% of data is Fractional."
    )
    assert f"{source / 'b.jsonl'}:1: answer: not probabilities that add up to 1: [NaN, 0.5]" in monitor.log


def test_another_number_of_classes_is_named(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "capture" / "a.jsonl", [entry(f"e{i}", (0.8, 0.1, 0.1)) for i in range(40)])
    monitor.run(tmp_path / "capture", baseline_folder)
    assert ("predicted_class", "data_type_check") in monitor.violations
    assert "answer: 3 probabilities for 2 classes" in monitor.log


def test_a_kind_of_picture_that_the_baseline_never_had(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    changed = copied(baseline_folder, tmp_path / "b", domain={"mode": ["L"]})
    monitor.run(traffic(tmp_path / "capture", 60, seed=1), changed)
    assert monitor.violations == {("mode", "categorical_values_check")}
    (found,) = monitor.wrote("constraint_violations.json")["violations"]
    assert found["description"].startswith("Value(s) not in the domain: RGB.")


def test_far_fewer_records_than_invocations_is_a_violation(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    source = traffic(tmp_path / "capture", 60, seed=1)
    monitor.run(source, baseline_folder, invocations="100")
    assert monitor.violations == {("captured_records", "completeness_check")}
    monitor.run(source, baseline_folder, invocations="120", sampling_percentage="50")
    assert monitor.violations == set()
    monitor.run(source, baseline_folder, invocations="0")
    assert monitor.violations == set()


def test_unreadable_lines_are_named_and_too_many_are_a_violation(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path
) -> None:
    source = traffic(tmp_path / "capture", 150, seed=1)
    bad = write(source / "bad.jsonl", ["{"])
    monitor.run(source, baseline_folder)
    assert monitor.violations == set()  # one of 151 is within the 1 % that is allowed
    assert f"{bad}:1: not JSON" in monitor.log
    write(bad, ["{"] * 5)
    monitor.run(source, baseline_folder)
    assert monitor.violations == {("captured_records", "data_type_check")}


def test_nothing_but_unreadable_lines_is_never_healthy(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "capture" / "a.jsonl", ["garbage"] * 50)
    monitor.run(tmp_path / "capture", baseline_folder)
    assert monitor.message.startswith("CompletedWithViolations:")
    assert ("captured_records", "data_type_check") in monitor.violations


def test_features_can_be_left_out_by_their_constraints(monitor: Monitor, baseline_folder: Path, tmp_path: Path) -> None:
    dark = {"brightness", "red_mean", "green_mean", "blue_mean", "contrast", "sharpness"}
    changed = copied(baseline_folder, tmp_path / "b", off=dark)
    monitor.run(traffic(tmp_path / "capture", 200, seed=2, shade=0.6), changed)
    assert not {feature for feature, _ in monitor.violations} & dark


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("statistics.json", "{", "cannot be read"),
        ("statistics.json", "[]", "holds a JSON list"),
        ("statistics.json", '{"features": []}', "not statistics in Model Monitor's form"),
        ("constraints.json", '{"features": [{}]}', "not constraints in Model Monitor's form"),
        (
            "constraints.json",
            '{"features": [{"name": "a", "inferred_type": "Fractional"}], "monitoring_config": '
            '{"distribution_constraints": {"comparison_method": "Euclid"}}}',
            "not constraints",
        ),
    ],
)
def test_a_baseline_that_cannot_be_used_fails_the_job(
    monitor: Monitor, baseline_folder: Path, tmp_path: Path, name: str, text: str, says: str
) -> None:
    changed = copied(baseline_folder, tmp_path / "b")
    (changed / name).write_text(text)
    with pytest.raises(DataError, match=says) as error:
        monitor.run(traffic(tmp_path / "capture", 40, seed=1), changed)
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("output_path", ""),
        ("start_time", "yesterday"),
        ("confidence_threshold", "93"),
        ("minimum_records", "0"),
        ("invocations", "-1"),
        ("publish_cloudwatch_metrics", "yes"),
        ("dataset_format", "csv"),
        ("dataset_format", '{"csv": {"header": true}}'),
    ],
)
def test_a_wrong_environment_names_the_variable(monitor: Monitor, tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=variable):
        monitor.run(tmp_path, None, **{variable: value})


def copied(
    folder: Path,
    target: Path,
    *,
    drop: set[str] = frozenset(),  # type: ignore[assignment]  # never changed
    off: set[str] = frozenset(),  # type: ignore[assignment]  # never changed
    domain: dict[str, list[str]] | None = None,
) -> Path:
    """The baseline with features dropped, switched off, or with another domain."""
    target.mkdir()
    for name in ("statistics.json", "constraints.json"):
        document: dict[str, Any] = json.loads((folder / name).read_text())
        document["features"] = [feature for feature in document["features"] if feature["name"] not in drop]
        for feature in document["features"]:
            if name == "constraints.json" and feature["name"] in off:
                feature["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
            if name == "constraints.json" and feature["name"] in (domain or {}):
                feature["string_constraints"]["domains"] = (domain or {})[feature["name"]]
        (target / name).write_text(json.dumps(document))
    return target
