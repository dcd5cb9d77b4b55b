"""The definitions against AWS's own schema, the documentation, and the functions behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cfnlint import lint_all

from lambdas.deploy.handler import STEPS
from lambdas.list_images.listing import ROOT
from stepfunctions import machines, mermaid

LAMBDA_SERVICE = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
}


def states(name: str) -> list[dict[str, Any]]:
    return [state for _, scope in machines.scopes(machines.load(name)) for state in scope["States"].values()]


def test_awss_schema_has_no_complaints() -> None:
    resources = {}
    for name in machines.names():
        values = dict.fromkeys(
            set(machines.PLACEHOLDER.findall(machines.text(name))), "arn:aws:lambda:us-east-1:123456789012:function:f"
        )
        properties = {"RoleArn": "arn:aws:iam::123456789012:role/states", "Definition": machines.load(name)}
        properties["DefinitionSubstitutions"] = values
        resources[name] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    complaints = [match for match in lint_all(template) if match.rule.id[0] in "EW"]
    assert not complaints


def test_the_schema_would_complain() -> None:
    """The test above can fail: a misspelt field is found."""
    definition = machines.load("deploy")
    definition["States"]["DeployFailed"]["CauzePath"] = "$.cause"
    machine = {"RoleArn": "arn:aws:iam::123456789012:role/states", "Definition": definition}
    resources = {"Deploy": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    assert any("CauzePath" in match.message for match in lint_all(template))


def test_the_drawings_in_the_docs_are_the_definitions() -> None:
    document = mermaid.DOCUMENT.read_text(encoding="utf-8")
    assert document == mermaid.redrawn(document), "run: python -m stepfunctions.mermaid"
    assert all(f"<!-- drawing: {name} -->" in document for name in machines.names())


@pytest.mark.parametrize("name", machines.names())
def test_a_drawing_shows_every_state(name: str) -> None:
    drawn = mermaid.drawing(machines.load(name))
    for _, scope in machines.scopes(machines.load(name)):
        assert all(f'state "{state}" as s' in drawn for state in scope["States"])


@pytest.mark.parametrize("name", machines.names())
def test_every_function_call_survives_trouble_in_lambda_itself(name: str) -> None:
    calls = [state for state in states(name) if state.get("Resource", "").endswith("lambda:invoke")]
    assert calls
    for call in calls:
        assert set(call["Retry"][0]["ErrorEquals"]) == LAMBDA_SERVICE


@pytest.mark.parametrize("name", ["inference", "batch"])
def test_retries_look_for_the_outcomes_that_are_worth_it_and_no_others(name: str) -> None:
    looked_for = {
        error for state in states(name) if state["Type"] == "Parallel" for retrier in state["Retry"]
        for error in retrier["ErrorEquals"]
    }  # fmt: skip
    assert looked_for == {"Throttled", "TimedOut", "Unavailable"}


def test_the_deploy_machine_asks_for_steps_that_exist_and_for_every_one() -> None:
    asked = {
        s["Parameters"]["Payload"]["step"]
        for s in states("deploy")
        if "step" in s.get("Parameters", {}).get("Payload", {})
    }
    assert asked | {"scale"} == set(STEPS)  # "scale" is asked for when an endpoint is switched on again


def test_the_docs_say_where_a_batch_run_keeps_its_files() -> None:
    assert f"{ROOT}/<execution>/work.json" in mermaid.DOCUMENT.read_text(encoding="utf-8")
