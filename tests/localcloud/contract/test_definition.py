"""Circles among steps: found once, and told in the order of the definition."""

from __future__ import annotations

import pytest

from localcloud.contract.definition import Step, cycle, waits_for


@pytest.mark.parametrize(
    ("waits", "circle"),
    [
        ({"A": [], "B": ["A"], "C": ["A", "B"]}, []),
        ({"A": ["A"]}, ["A", "A"]),
        ({"A": ["C"], "B": ["A"], "C": ["B"]}, ["A", "C", "B", "A"]),
        ({"Z": [], "C": ["B"], "B": ["C", "Z"]}, ["C", "B", "C"]),
    ],
)
def test_each_step_of_a_circle_waits_for_the_next(waits: dict[str, list[str]], circle: list[str]) -> None:
    assert cycle(waits) == circle


def test_a_step_waits_for_names_references_and_its_condition() -> None:
    arguments = {"A": {"Std:Join": {"On": "/", "Values": [{"Get": "Steps.First.X['a.b']"}, {"Get": "Steps.Second"}]}}}
    body = {"Name": "S", "Type": "Processing", "Arguments": arguments, "DependsOn": ["Third", {"Step": "Fourth"}]}
    assert waits_for(Step(body, "Gate", "IfSteps")) == {"First", "Second", "Third", "Fourth", "Gate"}
