"""Metrics of predictions, and when they break their thresholds: "Model Quality Metrics" in the developer guide."""

from __future__ import annotations

import pytest

from localcloud.programs.model_monitor import model_quality
from localcloud.programs.model_monitor.table import Columns, TableError

BINARY = {
    "truth": ["1", "1", "1", "0", "0"],
    "told": ["1", "1", "0", "1", "0"],
    "chance": ["0.9", "0.8", "0.4", "0.6", "0.1"],
}


def told(problem: str, **attributes: str) -> dict[str, str]:
    given = {f"{name}_attribute": value for name, value in attributes.items()}
    return {"problem_type": problem, "ground_truth_attribute": "truth", **given}


def metrics(columns: Columns, environment: dict[str, str]) -> dict[str, float]:
    group = f"{model_quality.GROUPS[environment['problem_type']]}_metrics"
    found = model_quality.profile(columns, environment)[group]
    return {name: one["value"] for name, one in found.items() if "value" in one}


def test_binary_classification() -> None:
    found = metrics(BINARY, told("BinaryClassification", inference="told", probability="chance"))
    two_thirds = pytest.approx(2 / 3)
    assert (found["recall"], found["precision"], found["f1"]) == (two_thirds, two_thirds, two_thirds)
    assert (found["accuracy"], found["false_positive_rate"], found["true_negative_rate"]) == (0.6, 0.5, 0.5)
    assert found["auc"] == pytest.approx(5 / 6)  # of six pairs one is in the wrong order
    by_chance = told("BinaryClassification", probability="2", probability_threshold="0.7")
    assert metrics(BINARY, by_chance)["precision"] == 1.0


def test_regression_and_several_classes() -> None:
    found = metrics({"truth": ["1", "3"], "told": ["2", "3"]}, told("Regression", inference="told"))
    assert (found["mae"], found["mse"], found["rmse"], found["r2"]) == (0.5, 0.5, pytest.approx(0.5**0.5), 0.5)
    several = {"truth": ["a", "a", "b", "c"], "told": ["a", "b", "b", "b"]}
    found = metrics(several, told("MulticlassClassification", inference="told"))
    assert (found["accuracy"], found["weighted_recall"]) == (0.5, 0.5)
    assert found["weighted_precision"] == pytest.approx(0.5 * 1 + 0.25 / 3)


def test_metrics_that_became_worse_are_violations() -> None:
    environment = told("BinaryClassification", inference="told")
    before = model_quality.profile({**BINARY, "told": BINARY["truth"]}, environment)
    rules = model_quality.suggested(before)
    assert rules["binary_classification_constraints"]["false_positive_rate"] == {
        "threshold": 0.0,
        "comparison_operator": "GreaterThanThreshold",
    }
    now = model_quality.profile(BINARY, environment)
    found = {one["metric_name"]: one for one in model_quality.violations(BINARY, now, before, rules)}
    assert found["accuracy"] == {
        "constraint_check_type": "LessThanThreshold",
        "description": "Metric accuracy with 0.6 was LessThanThreshold '1'",
        "metric_name": "accuracy",
    }
    assert found["false_positive_rate"]["constraint_check_type"] == "GreaterThanThreshold"
    assert not list(model_quality.violations(BINARY, before, before, rules))


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "problem_type '' is none of Regression, BinaryClassification"),
        ({"problem_type": "Regression"}, "no environment variable ground_truth_attribute"),
        (told("Regression"), "Regression needs the environment variable inference_attribute"),
        (told("Regression", inference="guess"), "inference_attribute is 'guess', and the columns are truth, told"),
        (told("BinaryClassification", inference="chance"), "a binary label is 0 or 1, and not '0.1'"),
    ],
)
def test_what_cannot_be_measured_is_named(environment: dict[str, str], problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        model_quality.profile(BINARY, environment)
