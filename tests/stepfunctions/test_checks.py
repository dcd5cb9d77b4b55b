"""Each check of the state machines finds its own mistake, says what to do, and nothing else is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from project.errors import UsageError
from stepfunctions import checks, machines

StateMachine = dict[str, Any]
RETRY = {
    "ErrorEquals": ["Lambda.ServiceException"],
    "IntervalSeconds": 1,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}
SOUND: StateMachine = {
    "StartAt": "Work",
    "TimeoutSeconds": 60,
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${SerializeImageFunctionArn}", "Payload.$": "$"},
            "TimeoutSeconds": 30,
            "Retry": [RETRY],
            "Catch": [
                {"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Broken"},
                {"ErrorEquals": ["States.ALL"], "Next": "Broken"},
            ],
            "Next": "Good?",
        },
        "Good?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.outcome", "StringEquals": "ok", "Next": "Each"}],
            "Default": "Broken",
        },
        "Each": {
            "Type": "Map",
            "MaxConcurrency": 2,
            "ToleratedFailurePercentage": 5,
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Broken": {"Type": "Fail", "Error": "Broken", "Cause": "It broke."},
    },
}
PLACEHOLDERS = {"SerializeImageFunctionArn"}
Spoil = Callable[[StateMachine], Any]
STATES: Callable[[StateMachine], StateMachine] = lambda d: d["States"]  # noqa: E731 - the table below stays readable
MISTAKES: dict[str, tuple[Spoil, str]] = {
    "StartAt of no state": (lambda d: d.update(StartAt="Wrok"), "StartAt is 'Wrok'"),
    "StartAt of no state, inside": (
        lambda d: STATES(d)["Each"]["ItemProcessor"].update(StartAt="Two"),
        "Each StartAt is 'Two'",
    ),
    "unknown target": (lambda d: STATES(d)["Work"].update(Next="Godo?"), "Work goes on to 'Godo?'"),
    "unknown default": (lambda d: STATES(d)["Good?"].update(Default="Nowhere"), "Good? goes on to 'Nowhere'"),
    "unknown catch": (lambda d: STATES(d)["Work"]["Catch"][0].update(Next="X"), "Work goes on to 'X'"),
    "a way out of a branch": (
        lambda d: STATES(d)["Each"]["ItemProcessor"]["States"].update(One={"Type": "Pass", "Next": "Done"}),
        "Each/One goes on to 'Done'",
    ),
    "unreachable": (lambda d: STATES(d).update(Idle={"Type": "Succeed"}), "Idle cannot be reached"),
    "a name used twice": (
        lambda d: STATES(d)["Each"].update(
            ItemProcessor={"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
        ),
        "Each/Done has a name that is used twice",
    ),
    "unknown type": (lambda d: STATES(d)["Done"].update(Type="Sucess", End=True), "Done has type 'Sucess'"),
    "neither Next nor End": (lambda d: STATES(d)["Each"].pop("Next"), "Each needs either Next or End"),
    "Next and End": (lambda d: STATES(d)["Each"].update(End=True), "Each needs either Next or End"),
    "End in a Fail": (lambda d: STATES(d)["Broken"].update(End=True), "Broken is a Fail state with Next or End"),
    "no Default": (lambda d: STATES(d)["Good?"].pop("Default"), "Good? has no Default"),
    "a rule to nowhere": (lambda d: STATES(d)["Good?"]["Choices"].append({"Variable": "$.x"}), "rule without Next"),
    "no Error": (lambda d: STATES(d)["Broken"].pop("Error"), "Broken has no Error"),
    "no Cause": (lambda d: STATES(d)["Broken"].pop("Cause"), "Broken has no Cause"),
    "unknown resource": (
        lambda d: STATES(d)["Work"].update(Resource="arn:aws:states:::lambda:invok"),
        "Work calls 'arn:aws:states:::lambda:invok'",
    ),
    "unknown reader": (
        lambda d: STATES(d)["Each"].update(ItemReader={"Resource": "arn:aws:states:::s3:list"}),
        "Each reads items with",
    ),
    "no limit": (lambda d: d.pop("TimeoutSeconds"), "the machine has no TimeoutSeconds"),
    "no task limit": (lambda d: STATES(d)["Work"].pop("TimeoutSeconds"), "Work has no TimeoutSeconds"),
    "retry on everything": (
        lambda d: STATES(d)["Work"].update(Retry=[{**RETRY, "ErrorEquals": ["States.ALL"]}]),
        "Work retries on States.ALL",
    ),
    "retry on every task failure": (
        lambda d: STATES(d)["Work"].update(Retry=[{**RETRY, "ErrorEquals": ["States.TaskFailed"]}]),
        "Work retries on States.TaskFailed",
    ),
    "retry without jitter": (
        lambda d: STATES(d)["Work"].update(Retry=[{**RETRY, "JitterStrategy": "NONE"}]),
        "without jitter",
    ),
    "no catch for the data limit": (
        lambda d: STATES(d)["Work"]["Catch"].pop(0),
        "does not catch States.DataLimitExceeded",
    ),
    "catch-all first": (lambda d: STATES(d)["Work"]["Catch"].reverse(), "but not alone and last in Catch"),
    "unbounded Map": (lambda d: STATES(d)["Each"].pop("MaxConcurrency"), "Each has no MaxConcurrency"),
    "intolerant Map": (lambda d: STATES(d)["Each"].pop("ToleratedFailurePercentage"), "Each tolerates no failure"),
    "placeholder nobody fills": (
        lambda d: STATES(d)["Broken"].update(Cause="${Typo}"),
        "Broken still holds ${Typo}",
    ),
}


def test_a_sound_definition_has_no_findings() -> None:
    assert checks.problems(SOUND, PLACEHOLDERS) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=MISTAKES)
def test_a_mistake_is_found_with_its_place_and_a_fix(mistake: str) -> None:
    spoil, expected = MISTAKES[mistake]
    definition = copy.deepcopy(SOUND)
    spoil(definition)
    found = checks.problems(definition, PLACEHOLDERS)
    assert any(expected in f"{one.where} {one.problem}" for one in found), found
    assert all(one.fix for one in found)


def test_every_check_is_needed_by_some_mistake() -> None:
    used = set()
    for spoil, _ in MISTAKES.values():
        definition = copy.deepcopy(SOUND)
        spoil(definition)
        used |= {check.__name__ for check in checks.CHECKS if list(check(definition))}
    assert used == {check.__name__ for check in checks.CHECKS}


@pytest.mark.parametrize("name", machines.names())
def test_the_projects_machines_have_no_findings(name: str) -> None:
    assert checks.problems(machines.load(name), set(machines.PLACEHOLDER.findall(machines.text(name)))) == []


def test_an_unfilled_placeholder_is_found_in_a_definition_that_should_be_complete() -> None:
    found = checks.problems(machines.load("deploy"))
    unfilled = {one.problem.rpartition("${")[2] for one in found}
    assert unfilled == {"AlertsTopicArn}.", "DeployFunctionArn}.", "MonitorFunctionArn}."}


def test_an_unknown_machine_is_a_usage_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError, match="batch, deploy, inference"):
        machines.load("inferenec")
