"""What became of every step of an execution, also of those that it never reached."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from golden import GOLDEN

from scones.reports.charts.pipeline_graph import GraphStep
from scones.reports.charts.words import duration
from scones.reports.execution_graph import graph_steps

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SOURCE = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/earlier"


def reached(name: str, status: str = "Succeeded", seconds: float = 5.0, **more: Any) -> dict[str, Any]:
    ends = {"EndTime": BEGAN + timedelta(seconds=seconds)} if status not in ("Executing", "Starting") else {}
    return {"StepName": name, "StepStatus": status, "StartTime": BEGAN, **ends, **more}


def asks(name: str, yes: list[Any], no: list[Any], **more: Any) -> dict[str, Any]:
    one = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Mode"}, "RightValue": "full"}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [one], "IfSteps": yes, "ElseSteps": no},
        **more,
    }


def step(name: str, kind: str = "Lambda", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": {}, **more}


def graph(steps: list[Any], listed: list[Any], is_running: bool = False) -> dict[str, GraphStep]:
    return {one.name: one for one in graph_steps({"Steps": steps}, listed, is_running)}


NESTED = [
    step("Prepare"),
    asks(
        "Outer",
        [step("Train", "Training"), asks("Inner", [step("Deploy")], [step("Tell")], DependsOn=["Train"])],
        [asks("Other", [step("Skipped")], []), step("Stop", "Fail")],
        DependsOn=["Prepare"],
    ),
]


def test_the_branch_that_was_not_taken_is_told_from_what_comes_later() -> None:
    outcome = {"Metadata": {"Condition": {"Outcome": "True"}}}
    found = graph(NESTED, [reached("Prepare"), reached("Outer", **outcome), reached("Train", "Executing")], True)
    assert {name: one.state for name, one in found.items()} == {
        "Prepare": "succeeded",
        "Outer": "succeeded",
        "Train": "running",
        "Inner": "waiting",
        "Deploy": "waiting",
        "Tell": "waiting",
        "Other": "not taken",
        "Skipped": "not taken",
        "Stop": "not taken",
    }
    assert found["Outer"].note == 'Mode = "full": yes'
    assert (found["Tell"].within, found["Tell"].branch) == ("Inner", "no")


def test_what_a_failed_execution_did_not_come_to_was_not_reached() -> None:
    found = graph(NESTED, [reached("Prepare", "Failed", 200)])
    assert found["Prepare"].note == "failed, 3 min 20 s"
    assert {one.state for name, one in found.items() if name != "Prepare"} == {"not reached"}


@pytest.mark.parametrize("member", ["CacheHitResult", "SelectiveExecutionResult"])
def test_a_result_that_was_taken_over_is_marked(member: str) -> None:
    assert graph([step("A")], [reached("A", **{member: {"SourcePipelineExecutionArn": SOURCE}})])["A"].state == "cached"
    assert graph([step("A")], [reached("A", **{member: {"SourcePipelineExecutionArn": ""}})])["A"].state == "succeeded"


def test_dependencies_are_names_and_references_alike() -> None:
    uses = step("C", Arguments={"x": {"Std:Join": {"On": "/", "Values": [{"Get": "Steps.B.OutputParameters['o']"}]}}})
    found = graph([step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": "Failed"}]), uses], [])
    assert found["B"].after == ("A",) and found["C"].after == ("B",)


def test_a_condition_of_an_unknown_kind_is_drawn_without_its_question() -> None:
    odd = step("Odd", "Condition", Arguments={"Conditions": [{"Type": "New"}]})
    assert graph([odd], [])["Odd"].note == "not reached"


def test_a_second_try_is_told() -> None:
    assert graph([step("A")], [reached("A", "Executing", AttemptCount=2)], True)["A"].note == "running, try 2"


def test_the_chosen_step_is_marked_and_every_step_leads_somewhere() -> None:
    found = graph_steps(
        json.loads((GOLDEN / "definition-pytorch.json").read_text()), [], True, "?step={}".format, "Train"
    )
    assert all(one.address == f"?step={one.name}" for one in found)
    assert [one.name for one in found if one.is_selected] == ["Train"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words
