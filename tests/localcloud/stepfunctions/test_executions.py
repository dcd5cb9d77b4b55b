"""Executions end as on AWS: the idioms in which a lenient engine lets pass what fails there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from stepfunctions_support import Machines

PASS = {"Type": "Pass", "End": True}
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("InputPath", "$.basket"),
        ("OutputPath", "$.basket.scones"),
        ("Parameters", {"count.$": "$.basket.count"}),
        ("Parameters", {"text.$": "States.Format('{}', $.nobody)"}),
    ],
)
def test_a_path_that_leads_nowhere_fails_the_execution(
    machines: Machines, field: str, value: Any, request: Any
) -> None:
    ended = machines.run({"Lead": {**PASS, field: value}}, {"tray": 1}, _name(request))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "output" not in ended


def test_a_fail_state_without_an_error_has_none(machines: Machines) -> None:
    ended = machines.run({"Stop": {"Type": "Fail"}}, name="bare-fail")
    assert ended["status"] == "FAILED"
    assert not {"error", "cause", "output"} & set(ended)
    assert ended["redriveStatus"] == "REDRIVABLE"


def test_an_exceptions_class_is_the_name_that_catch_and_retry_match(machines: Machines) -> None:
    caught = {"ErrorEquals": ["OutOfSconesError"], "ResultPath": "$.failure", "Next": "Sorry"}
    states = {
        "Serve": {"Type": "Task", "Resource": FUNCTION + "refuse", "Catch": [caught], "End": True},
        "Sorry": PASS,
    }
    ended = machines.run(states, {"guest": "Ada"}, "catches")
    failure = json.loads(ended["output"])["failure"]
    assert failure["Error"] == "OutOfSconesError"
    assert json.loads(failure["Cause"])["errorMessage"] == "none left for Ada"


def test_a_functions_result_has_the_metadata_of_awss_sdk(machines: Machines) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "echo", "Payload.$": "$"},
        "End": True,
    }
    output = json.loads(machines.run({"Ask": task}, {"a": 1}, "metadata")["output"])
    assert output["Payload"] == {"a": 1}
    assert (output["StatusCode"], output["ExecutedVersion"]) == (200, "$LATEST")
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_a_text_that_is_json_reaches_the_function_as_what_it_says(machines: Machines) -> None:
    task = {"Type": "Task", "Resource": FUNCTION + "echo", "InputPath": "$.body", "End": True}
    ended = machines.run({"Ask": task}, {"body": '{"deep": [1]}'}, "text-payload")
    assert json.loads(ended["output"]) == {"deep": [1]}


def test_a_result_beyond_the_limit_can_be_caught(machines: Machines) -> None:
    states = {
        "Fetch": {
            "Type": "Task",
            "Resource": FUNCTION + "large",
            "Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Small"}],
            "End": True,
        },
        "Small": {**PASS, "Result": "caught"},
    }
    assert machines.run(states, {}, "limit")["output"] == '"caught"'


def test_a_variable_of_a_jsonpath_state_is_there_in_later_states(machines: Machines) -> None:
    states = {
        "Keep": {"Type": "Pass", "Assign": {"trays.$": "$.trays", "note": 'a "quoted" word'}, "Next": "Use"},
        "Use": {**PASS, "Parameters": {"first.$": "$trays[0]", "note.$": "$note"}},
    }
    output = json.loads(machines.run(states, {"trays": [7, 8]}, "assign")["output"])
    assert output == {"first": 7, "note": 'a "quoted" word'}


def test_a_timeout_by_path_ends_a_state_that_waits_for_its_token(machines: Machines) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "echo", "Payload": {"token.$": "$$.Task.Token"}},
        "TimeoutSecondsPath": "$.patience",
        "End": True,
    }
    ended = machines.run({"Wait": task}, {"patience": 1}, "timeout-path")
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


@pytest.mark.parametrize(
    ("rule", "value", "matches"),
    [
        ({"StringLessThanPath": "$.other"}, {"v": "apple", "other": "pear"}, True),
        ({"StringLessThanEqualsPath": "$.other"}, {"v": "pear", "other": "pear"}, True),
        ({"StringGreaterThanEqualsPath": "$.other"}, {"v": "pear", "other": "apple"}, True),
        ({"TimestampEqualsPath": "$.other"}, {"v": "2024-01-01T00:00:00Z", "other": "2024-01-01T00:00:00Z"}, True),
        ({"IsPresent": True}, {"v": None}, True),
        ({"BooleanEquals": True}, {"v": 1}, False),
        ({"IsNumeric": True}, {"v": True}, False),
    ],
)
def test_a_choice_compares_as_awss_does(
    machines: Machines, rule: dict[str, Any], value: Any, matches: bool, request: Any
) -> None:
    states = {
        "Ask": {"Type": "Choice", "Choices": [{"Variable": "$.v", **rule, "Next": "Yes"}], "Default": "No"},
        "Yes": {**PASS, "Result": True},
        "No": {**PASS, "Result": False},
    }
    assert json.loads(machines.run(states, value, _name(request))["output"]) is matches


def test_jsonata_knows_the_input_variables_and_the_functions_of_step_functions(machines: Machines) -> None:
    output = {
        "sum": "{% $sum($states.input.trays) + $extra %}",
        "halves": "{% $partition($states.input.trays, 2) %}",
        "none": "{% $states.input.nothing %}",
        "name": "{% $states.context.State.Name %}",
    }
    states = {
        "Begin": {"Type": "Pass", "Assign": {"extra": 10}, "Next": "Count"},
        "Count": {**PASS, "Output": output},
    }
    ended = machines.run(states, {"trays": [1, 2, 3], "nothing": None}, "jsonata", QueryLanguage="JSONata")
    assert json.loads(ended["output"]) == {"sum": 16, "halves": [[1, 2], [3]], "none": None, "name": "Count"}


def test_jsonata_that_finds_nothing_fails_with_the_field_that_asked(machines: Machines) -> None:
    states = {"Ask": {**PASS, "Output": {"deep": "{% $states.input.nobody %}"}}}
    ended = machines.run(states, {}, "undefined", QueryLanguage="JSONata")
    assert ended["error"] == "States.QueryEvaluationError"
    (event,) = [one for one in machines.events(ended["executionArn"]) if one["type"] == "EvaluationFailed"]
    assert event["evaluationFailedEventDetails"]["location"] == "Output/deep"


def test_the_history_of_a_map_is_whole_and_linked(machines: Machines) -> None:
    states = {
        "Each": {
            "Type": "Map",
            "MaxConcurrency": 1,
            "ItemProcessor": {"StartAt": "One", "States": {"One": PASS}},
            "End": True,
        }
    }
    ended = machines.run(states, [1, 2], "history")
    events = machines.events(ended["executionArn"], PaginationConfig={"PageSize": 3})
    one = ["MapIterationStarted", "PassStateEntered", "PassStateExited", "MapIterationSucceeded"]
    wanted = ["ExecutionStarted", "MapStateEntered", "MapStateStarted", *one, *one]
    assert [event["type"] for event in events] == [*wanted, "MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)
    turned = machines.events(ended["executionArn"], reverseOrder=True, PaginationConfig={"PageSize": 4})
    assert turned == events[::-1]


def test_characters_beyond_sixteen_bits_come_through(machines: Machines) -> None:
    assert json.loads(machines.run({"Say": {**PASS, "Result": {"text": "🥐"}}}, {}, "emoji")["output"]) == {
        "text": "🥐"
    }


def _name(request: Any) -> str:
    """A name for a machine that no other case of the test has."""
    return re.sub(r"\W+", "-", request.node.name)[-80:]
