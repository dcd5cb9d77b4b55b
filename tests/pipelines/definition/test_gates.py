"""The quality gate: which conditions the settings make, what the pipeline decides by them, and who is told what."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from localcloud.contract.definition import Json, steps
from localcloud.sagemaker.engine import conditions, expressions
from pipelines.checks.settings_checks import settings_agree
from pipelines.definition import gates
from pipelines.definition.rendering import jobs, render
from pipelines.runs.follow import raise_unless_succeeded
from project.errors import QualityGateError
from project.names import Names
from project.settings import Settings
from steps.evaluate import evaluate

SETTINGS = Settings.model_validate(
    {
        "gates": [
            {"metric": "expected_calibration_error", "at_most": 0.05},
            {"metric": "per_class.bicycle.recall", "at_least": 0.7},
        ]
    }
)


@pytest.fixture(scope="module")
def definition() -> Json:
    names = Names(SETTINGS)
    return render(names, {job: names.uri("code", job) for job in jobs(SETTINGS)})


def decide(definition: Json, evaluation: Json, **parameters: float) -> tuple[bool, str]:
    """What CheckQuality decides about an evaluation, and the message of the step that fails if it says no."""
    declared = {p["Name"]: p.get("DefaultValue") for p in definition["Parameters"]}
    scope = expressions.Scope(declared | parameters, {}, lambda name: {}, lambda step, file: evaluation, lambda uri: {})

    def resolve(value: Any) -> Any:
        return expressions.resolve(value, scope)

    by_name = {step.name: step for step in steps(definition)}
    message = resolve(by_name["QualityTooLow"].arguments["ErrorMessage"])
    return conditions.satisfied(by_name["CheckQuality"].arguments["Conditions"], resolve), message


def evaluation(accuracy: float = 0.9, calibration: float = 0.02, recall: float = 0.8) -> Json:
    return {
        "metrics": {"accuracy": accuracy, "expected_calibration_error": calibration},
        "per_class": {"bicycle": {"recall": recall}},
    }


def test_every_bound_is_a_parameter_that_an_operator_can_turn(definition: Json) -> None:
    declared = {p["Name"]: (p["Type"], p["DefaultValue"]) for p in definition["Parameters"]}
    assert declared["AccuracyThreshold"] == ("Float", 0.8)
    assert declared["MinimumFromLive"] == ("Float", 0.0)
    assert declared["MaximumExpectedCalibrationError"] == ("Float", 0.05)
    assert declared["MinimumPerClassBicycleRecall"] == ("Float", 0.7)


def test_a_model_that_keeps_every_bound_passes_also_exactly_at_them(definition: Json) -> None:
    assert decide(definition, evaluation())[0]
    assert decide(definition, evaluation(0.8, 0.05, 0.7))[0]


@pytest.mark.parametrize(
    ("measured", "parameters", "told"),
    [
        (evaluation(accuracy=0.79), {}, ["accuracy is 0.79, must be at least 0.8"]),
        (evaluation(calibration=0.051), {}, ["expected_calibration_error is 0.051, must be at most 0.05"]),
        (evaluation(recall=0.5), {}, ["per_class.bicycle.recall is 0.5, must be at least 0.7"]),
        (
            evaluation(accuracy=0.9),
            {"MinimumFromLive": 0.93},
            ["accuracy is 0.9, must be at least 0.93 to be no worse than the live model"],
        ),
        (
            evaluation(0.1, 1e-05, 0.5),
            {},
            ["accuracy is 0.1, must be at least 0.8", "per_class.bicycle.recall is 0.5, must be at least 0.7"],
        ),
    ],
)
def test_a_broken_bound_stops_the_model_and_only_it_is_told(
    definition: Json, measured: Json, parameters: dict[str, float], told: list[str]
) -> None:
    passed, message = decide(definition, measured, **parameters)
    assert not passed
    assert gates.failed(message) == told
    reached = {"StepName": "QualityTooLow", "StepStatus": "Failed", "Metadata": {"Fail": {"ErrorMessage": message}}}
    description = {"PipelineExecutionArn": "x/abc", "PipelineExecutionStatus": "Failed"}
    with pytest.raises(QualityGateError) as caught:
        raise_unless_succeeded(description, [reached])
    assert caught.value.problem == f"QualityTooLow: {'; '.join(told)}."


def test_a_metric_that_is_not_there_decides_nothing(definition: Json) -> None:
    with pytest.raises(expressions.ExpressionError, match="accuracy"):
        decide(definition, {"metrics": {}, "per_class": {"bicycle": {"recall": 1.0}}})


def test_another_message_has_no_failed_clauses() -> None:
    assert gates.failed("Accuracy 0.6 is below 0.8") == []


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ([{"metric": "auc"}], "either at_least or at_most"),
        ([{"metric": "auc", "at_least": 0.5, "at_most": 0.9}], "either at_least or at_most"),
        ([{"metric": "auc; rm", "at_least": 0.5}], "names with dots"),
        ([{"metric": "auc", "at_least": 0.5}, {"metric": "auc", "at_least": 0.6}], "on the same side"),
        ([{"metric": "auc", "minimum": 0.5}], "minimum"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(gate: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({"gates": gate})


def test_a_gate_on_a_metric_that_evaluate_does_not_write_is_found_before_anything_runs() -> None:
    wrong = Settings.model_validate({"gates": [{"metric": "expected_callibration_error", "at_most": 0.05}]})
    (problem,) = settings_agree(wrong)
    assert "Did you mean 'metrics.expected_calibration_error'?" in str(problem)
    assert list(settings_agree(SETTINGS)) == []


def test_what_evaluate_writes_can_be_gated(definition: Json) -> None:
    labels = np.arange(40) % 2
    probabilities = np.where(np.eye(2)[labels] > 0, 0.98, 0.02)
    written = json.loads(json.dumps(evaluate(labels, probabilities, SETTINGS.classes, [str(i) for i in labels], [])))
    assert decide(definition, written)[0]
