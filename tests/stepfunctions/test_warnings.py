"""Warnings: what AWS accepts and fails on when it runs, found in machines as people write them, and not in ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from project.errors import SconesError, UsageError
from scones.cli.main import scones
from stepfunctions import machines
from stepfunctions.data_flow import uses
from stepfunctions.warnings import WARNINGS, warnings

INVOKE = "arn:aws:states:::lambda:invoke"
DONE: dict[str, Any] = {"Type": "Succeed"}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "f", "Payload.$": "$"}, **more}


def machine(*states: dict[str, Any], **named: dict[str, Any]) -> dict[str, Any]:
    """States that follow one another, named A, B, C …, and others under their own names."""
    labels = [chr(ord("A") + index) for index in range(len(states))]
    ways = [{"Next": label} for label in labels[1:]] + [{"End": True}]
    chain = {
        label: state if state["Type"] in {"Choice", "Succeed", "Fail"} else {**state, **way}
        for label, state, way in zip(labels, states, ways, strict=True)
    }
    return {"StartAt": "A", "States": {**chain, **named}}


def choice(*rules: dict[str, Any], default: str | None = "Done") -> dict[str, Any]:
    return {"Type": "Choice", "Choices": [{**rule, "Next": "Done"} for rule in rules]} | (
        {"Default": default} if default else {}
    )


FROM_THE_INPUT = {"Variable": "$.kind", "StringEquals": "x"}
FOUND = {
    "a result without its Payload": (
        machine(task(), {"Type": "Pass", "InputPath": "$.body"}),
        "state B: reads $.body in InputPath, which no state before it makes.",
    ),
    "a member that Parameters left out": (
        machine({"Type": "Pass", "Parameters": {"a.$": "$.a"}}, {"Type": "Pass", "Parameters": {"b.$": "$.b"}}),
        "state B: reads $.b in Parameters.b.$",
    ),
    "a member of a literal, in an intrinsic function": (
        machine(
            {"Type": "Pass", "Result": {"n": {"m": 1}}},
            {"Type": "Pass", "Parameters": {"t.$": "States.Format('{} $.fine', $.n.k)"}},
        ),
        "state B: reads $.n.k in Parameters.t.$",
    ),
    "a selector's member in another's place": (
        machine(task(ResultSelector={"out.$": "$.Payload"}), {"Type": "Pass", "OutputPath": "$.Payload"}),
        "state B: reads $.Payload in OutputPath",
    ),
    "the input after a catcher that replaced it": (
        machine(
            task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}]), Sorry={"Type": "Fail", "CausePath": "$.id"}
        ),
        "state Sorry: reads $.id in CausePath",
    ),
    "a third branch of two": (
        machine(
            {"Type": "Parallel", "Branches": [machine(DONE), machine(DONE)]}, {"Type": "Pass", "OutputPath": "$[2]"}
        ),
        "state B: reads $[2] in OutputPath",
    ),
    "items of a literal": (
        machine(
            {"Type": "Pass", "Result": {"items": []}}, {"Type": "Map", "ItemsPath": "$.list", "Iterator": machine(DONE)}
        ),
        "state B: reads $.list in ItemsPath",
    ),
    "inside a Map": (
        machine(
            {
                "Type": "Map",
                "ItemSelector": {"key.$": "$$.Map.Item.Value"},
                "ItemProcessor": machine({"Type": "Pass", "InputPath": "$.bucket"}),
            }
        ),
        "state A/A: reads $.bucket in InputPath",
    ),
    "a choice on the input": (
        machine(choice(FROM_THE_INPUT), Done=DONE),
        "state A: compares $.kind, which may be missing.",
    ),
    "a choice on what one way makes": (
        machine(
            choice({"Variable": "$.x", "IsPresent": True}, default="Plain"),
            Done={"Type": "Pass", "Result": {"n": 1}, "Next": "Both"},
            Plain={"Type": "Pass", "Result": {}, "Next": "Both"},
            Both={
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "End"}],
                "Default": "End",
            },
            End=DONE,
        ),
        "state Both: compares $.n, which may be missing.",
    ),
    "no Default": (
        machine(choice({"Variable": "$.x", "IsPresent": True}, default=None), Done=DONE),
        "state A: has no Default.",
    ),
    "a time-out out of the input": (
        machine(task(TimeoutSecondsPath="$.limit")),
        "state A: takes TimeoutSecondsPath from $.limit, which may be missing.",
    ),
    "a heartbeat that is text": (
        machine({"Type": "Pass", "Result": {"beat": "60"}}, task(HeartbeatSecondsPath="$.beat")),
        'state B: takes HeartbeatSecondsPath from $.beat, which is "60".',
    ),
    "MiniStack's name of errors": (
        machine(task(Retry=[{"ErrorEquals": ["Runtime.HandlerError"]}])),
        "state A: has 'Runtime.HandlerError' in Retry, which no runtime of Lambda gives. Name the exception's class",
    ),
    "a class with its module": (
        machine(task(Retry=[{"ErrorEquals": ["botocore.exceptions.ClientError"]}])),
        "Name the class alone: ClientError.",
    ),
    "an error that Step Functions has not": (
        machine(task(Retry=[{"ErrorEquals": ["States.Timeouts"]}])),
        "has 'States.Timeouts' in Retry, which is no error of Step Functions.",
    ),
    "Lambda.Unknown for exceptions": (
        machine(task(Catch=[{"ErrorEquals": ["Lambda.Unknown"], "ResultPath": "$.e", "Next": "Done"}]), Done=DONE),
        "state A: catches Lambda.Unknown, which is the name of no exception of a function.",
    ),
    "text as payload": (
        machine(task(Parameters={"FunctionName": "f", "Payload": "hello"})),
        "state A: sends a Payload that is text and no JSON.",
    ),
    "text of a literal as payload": (
        machine({"Type": "Pass", "Result": {"t": "hi"}}, task(Parameters={"FunctionName": "f", "Payload.$": "$.t"})),
        "state B: sends $.t as Payload, which is text and no JSON.",
    ),
}

HARMLESS = {
    "IsPresent in the same And": machine(
        choice({"And": [{"Variable": "$.kind", "IsPresent": True}, FROM_THE_INPUT]}), Done=DONE
    ),
    "IsPresent false first": machine(choice({"Variable": "$.kind", "IsPresent": False}, FROM_THE_INPUT), Done=DONE),
    "Not present first, in an Or": machine(
        choice({"Or": [{"Variable": "$.kind", "IsPresent": False}, FROM_THE_INPUT]}), Done=DONE
    ),
    "read by the state before": machine({"Type": "Wait", "SecondsPath": "$.s"}, task(), DONE),
    "a function's answer": machine(
        task(OutputPath="$.Payload"), choice({"Variable": "$.body.status", "NumericEquals": 200}), Done=DONE
    ),
    "a catcher that keeps the input": machine(
        task(Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Sorry"}]),
        Sorry={"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.id"},
    ),
    "a loop that counts": machine(
        {"Type": "Pass", "Result": {"n": 0}, "ResultPath": "$.loop"},
        {
            "Type": "Pass",
            "Parameters": {"n.$": "States.MathAdd($.loop.n, 1)", "before.$": "$.loop"},
            "ResultPath": "$.loop",
        },
        choice({"Variable": "$.loop.n", "NumericLessThan": 3}, default="B"),
        Done=DONE,
    ),
    "filters, wildcards, variables and the context": machine(
        {"Type": "Pass", "Result": {"a": [1]}},
        {
            "Type": "Pass",
            "Parameters": {"x.$": "$..b", "y.$": "$.c[?(@.d)]", "z.$": "$v.e", "n.$": "$$.Execution.Name"},
        },
    ),
    "a state in JSONata": machine(
        {"Type": "Pass", "Result": {"a": 1}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% {'b': 1} %}"},
        {"Type": "Pass", "InputPath": "$.b"},
    ),
    "a machine in JSONata": {**machine(task(), {"Type": "Pass", "InputPath": "$.b"}), "QueryLanguage": "JSONata"},
    "a limit that a state made": machine({"Type": "Pass", "Result": {"s": 5}}, task(TimeoutSecondsPath="$.s")),
    "text that is JSON as payload": machine(task(Parameters={"FunctionName": "f", "Payload": '{"a": 1}'})),
    "names that are given": machine(
        task(
            Retry=[
                {"ErrorEquals": ["Lambda.Unknown", "Lambda.TooManyRequestsException", "ValueError", "States.Timeout"]}
            ]
        )
    ),
    "Java's names": machine(task(Retry=[{"ErrorEquals": ["java.lang.IllegalStateException", "com.example.Oops"]}])),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_fails_on_aws_is_named_with_its_state_and_a_fix(name: str) -> None:
    definition, expected = FOUND[name]
    [found] = warnings(definition)
    assert expected in str(found) and found.fix
    assert "\n" not in str(found)


def test_every_warning_is_needed_by_some_machine() -> None:
    machines_found = [definition for definition, _ in FOUND.values()]
    needed = {warner for one in machines_found for warner in WARNINGS if list(warner(one, uses(one)))}
    assert needed == set(WARNINGS)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_cannot_be_known_is_left_alone(name: str) -> None:
    assert warnings(HARMLESS[name]) == []


@pytest.mark.parametrize("name", machines.names())
def test_the_projects_machines_have_no_warnings(name: str) -> None:
    assert warnings(machines.load(name)) == []


def check(file: Path, definition: object, *options: str) -> Any:
    file.write_text(json.dumps(definition), encoding="utf-8")
    return CliRunner().invoke(scones, ["check", "--definition", str(file), *options])


def test_anybodys_machine_is_checked_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "order.asl.json"
    result = check(file, machine(task(), {"Type": "Pass", "InputPath": "$.body"}))
    assert result.exit_code == 0
    assert result.stdout.startswith("warning: state B: reads $.body in InputPath") and result.stdout.count("\n") == 1
    assert "no problem, 1 warning." in result.stderr
    broken = machine(task(), {"Type": "Pass", "Next": "Nowhere"})
    refused = check(file, broken, "--json")
    assert isinstance(refused.exception, SconesError) and refused.exception.exit_code == 1
    assert {one["severity"] for one in json.loads(refused.stdout)} == {"problem"}


@pytest.mark.parametrize(
    "states",
    [
        [],
        {"A": 3},
        {"A": {"Type": "Choice", "Choices": {}}},
        {"A": {"Catch": [{"ErrorEquals": "X"}]}},
        {"A": {"Branches": [3]}},
        {"A": {"Iterator": []}},
        {"A": {"Iterator": {"StartAt": ["B"], "States": {}}}},
        {"A": {"Type": ["Pass"]}},
        {"A": {"Type": "Pass", "Next": {}}},
        {"A": {"Type": "Choice", "Choices": [], "Default": ["A"]}},
        {"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": ["A"]}]}},
        {"A": {"Type": "Choice", "Choices": [{"And": 3, "Next": "A"}]}},
        {"A": {"Type": "Choice", "Choices": [{"Or": [{"Not": "x"}], "Next": "A"}]}},
        {"A": {"Type": "Choice", "Choices": [{"Not": {"Variable": 3, "IsNull": True}, "Next": "A"}]}},
        {"A": {"Type": "Map", "ItemReader": 3}},
        {"A": {"Type": "Task", "Catch": [{"ErrorEquals": ["X"], "Next": []}]}},
    ],
)
def test_a_machine_of_another_form_is_wrong_usage(tmp_path: Path, states: object) -> None:
    result = check(tmp_path / "x.json", {"StartAt": "A", "States": states})
    assert isinstance(result.exception, UsageError) and "x.json: the machine" in str(result.exception)


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Choice", "Choices": [{"Not": {"IsPresent": True}, "Next": "A"}], "Default": "A"},
        {"Type": "Task", "Resource": INVOKE, "Parameters": ["x"], "End": True},
        {"Type": "Pass", "InputPath": 3, "OutputPath": [], "ResultPath": {}, "End": True},
        {"Type": "Pass", "Parameters": {"x.$": 3, "y.$": "States.Format('", "z.$": "$.["}, "End": True},
    ],
)
def test_fields_that_no_check_reads_may_be_anything(tmp_path: Path, state: object) -> None:
    assert check(tmp_path / "x.json", {"StartAt": "A", "States": {"A": state}}).exit_code == 0


def nested(depth: int) -> str:
    """A machine of Parallel states inside each other, as JSON."""
    opened = "".join(
        f'{{"StartAt": "S{n}", "States": {{"S{n}": {{"Type": "Parallel", "End": true, "Branches": ['
        for n in range(depth)
    )
    return opened + '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}' + "]}}}" * depth


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (nested(26), "nested more than 100 levels deep"),
        (nested(100_000), "nested more than 100 levels deep"),
        ('{"States": {"\\ud800": {}}}', "half a character"),
        ('{"States": {"a": 1e999}}', "inf is no JSON value"),
        ("{", "not JSON"),
    ],
    ids=["deep", "deeper", "surrogate", "infinite", "cut"],
)
def test_what_nothing_behind_it_can_bear_is_wrong_usage(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "machine.json"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(scones, ["check", "--definition", str(file)])
    assert isinstance(result.exception, UsageError) and words in str(result.exception)


def test_states_inside_each_other_are_followed_once_each(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_text(nested(24), encoding="utf-8")  # twice at each level would be for ever
    assert CliRunner().invoke(scones, ["check", "--definition", str(file)]).exit_code == 0
