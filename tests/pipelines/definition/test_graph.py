"""The graph, its drawings and its differences, read from definition JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from golden import GOLDEN

from localcloud.contract.definition import cycle, dependencies, steps
from pipelines.definition import diff, drawing

Json = dict[str, Any]


STAGING = ("StagingConfig", "StagingServerlessConfig", "StagingEndpoint", "TestStaging", "RemoveStaging")


@pytest.fixture
def definition() -> Json:
    loaded: Json = json.loads((GOLDEN / "definition-builtin.json").read_text(encoding="utf-8"))
    return loaded


def test_steps_stand_in_order_with_their_branches(definition: Json) -> None:
    assert [(step.name, step.within, step.branch) for step in steps(definition)][6:] == [
        ("CheckQuality", None, None),
        ("RegisterModel", "CheckQuality", "IfSteps"),
        ("QualityTooLow", "CheckQuality", "ElseSteps"),
        ("CheckStaging", None, None),
        *((name, "CheckStaging", "IfSteps") for name in STAGING),
    ]


def test_a_step_waits_for_what_it_refers_to_and_for_its_condition(definition: Json) -> None:
    waits = dependencies(definition)
    assert waits["ScoreTestSet"] == ["BuildManifests", "CreateModel"]
    assert waits["RegisterModel"] == ["Train", "Evaluate", "CheckQuality"]
    assert waits["ExtractCifar"] == []
    assert cycle(waits) == []


def test_a_circle_is_returned_closed() -> None:
    circle = {"Steps": [{"Name": "A", "DependsOn": ["B"]}, {"Name": "B", "DependsOn": [{"Step": "A"}]}]}
    assert cycle(dependencies(circle)) == ["A", "B", "A"]


def test_text_shows_order_branches_and_defaults(definition: Json) -> None:
    text = drawing.as_text("scones", definition)
    lines = text.splitlines()
    assert lines[0] == "Pipeline scones: 15 steps"
    assert [line.split()[0] for line in lines[3:10]] == [
        *("ExtractCifar", "BuildManifests", "Train", "CreateModel", "ScoreTestSet", "Evaluate", "CheckQuality"),
    ]
    assert "[metrics.accuracy >= AccuracyThreshold and metrics.accuracy >= MinimumFromLive]" in lines[9]
    assert lines[10].startswith("  yes: RegisterModel") and lines[11].startswith("  no: QualityTooLow")
    assert any(line.split()[:3] == ["Epochs", "Integer", "100"] for line in lines)


def test_mermaid_draws_each_step_and_only_direct_dependencies(definition: Json) -> None:
    lines = drawing.as_mermaid(definition).splitlines()
    arrows = [line.strip() for line in lines if "-->" in line]
    assert lines[0] == "flowchart TD"
    assert len([line for line in lines if "<br/>" in line]) == 15
    assert "CheckQuality -->|yes| RegisterModel" in arrows and "CheckQuality -->|no| QualityTooLow" in arrows
    assert "BuildManifests --> Evaluate" not in arrows


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"Type": "In", "QueryValue": {"Get": "Parameters.A"}, "Values": ["x", "y"]}, 'A in "x", "y"'),
        ({"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": 1, "RightValue": 2}}, "not (1 = 2)"),
        (
            {"Type": "Or", "Conditions": [{"Type": "LessThan", "LeftValue": 1, "RightValue": 2}] * 2},
            "(1 < 2 or 1 < 2)",
        ),
    ],
)
def test_conditions_read_as_formulas(condition: Json, text: str) -> None:
    step = steps({"Steps": [{"Name": "C", "Type": "Condition", "Arguments": {"Conditions": [condition]}}]})[0]
    assert drawing.condition_text(step) == text


def test_equal_definitions_do_not_differ(definition: Json) -> None:
    assert diff.definition_changes(definition, copy.deepcopy(definition)) == []


def test_a_changed_field_is_named_by_its_path(definition: Json) -> None:
    new = copy.deepcopy(definition)
    new["Steps"][2]["Arguments"]["HyperParameters"]["learning_rate"] = "0.05"
    (change,) = diff.definition_changes(definition, new)
    assert str(change) == '~ step Train: Arguments.HyperParameters.learning_rate: "0.1" -> "0.05"'


def test_named_list_items_are_compared_by_name_not_by_place(definition: Json) -> None:
    new = copy.deepcopy(definition)
    channel = {"ChannelName": "code", "InputMode": "File"}
    new["Steps"][2]["Arguments"]["InputDataConfig"].insert(0, channel)
    (change,) = diff.definition_changes(definition, new)
    assert (change.kind, change.path, change.after) == ("added", "Arguments.InputDataConfig[code]", channel)


def test_added_and_removed_steps_and_parameters_are_named(definition: Json) -> None:
    new = copy.deepcopy(definition)
    del new["Parameters"][0]
    new["Steps"].append({"Name": "Notify", "Type": "Lambda"})
    new["Steps"][6]["Arguments"]["ElseSteps"] = []
    texts = [str(change) for change in diff.definition_changes(definition, new)]
    assert texts == ["- parameter InputArchiveUri", "+ step Notify", "- step QualityTooLow"]


def test_a_step_that_moves_to_another_branch_has_changed(definition: Json) -> None:
    new = copy.deepcopy(definition)
    arguments = new["Steps"][6]["Arguments"]
    arguments["IfSteps"], arguments["ElseSteps"] = arguments["ElseSteps"], arguments["IfSteps"]
    texts = [str(change) for change in diff.definition_changes(definition, new)]
    assert '~ step RegisterModel: Branch[1]: "IfSteps" -> "ElseSteps"' in texts


def test_one_and_true_are_different_values() -> None:
    assert len(list(diff.values("x", {"a": 1}, {"a": True}))) == 1
