"""What the API takes and refuses, and what it says of a state machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import eventually
from stepfunctions_support import ROLE, Machines, client_of, serving

PASS = {"Type": "Pass", "End": True}
WAIT = {"Type": "Wait", "Seconds": 600, "End": True}
DEFINITION = json.dumps({"StartAt": "One", "States": {"One": PASS}})


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """The code and the message with which a call is refused."""
    with pytest.raises(ClientError) as error:
        call(**request)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


@pytest.mark.parametrize("name", ["a" * 81, "two words", "what?", "semi;colon"])
def test_a_bad_name_is_refused_for_machines_and_executions(machines: Machines, name: str) -> None:
    raw = client_of(_port(machines), parameter_validation=False)
    wanted = ("InvalidName", f"Invalid Name: '{name}'")
    machine = machines.make({"One": PASS}, "named")
    assert refused(raw.create_state_machine, name=name, definition=DEFINITION, roleArn=ROLE) == wanted
    assert refused(raw.start_execution, stateMachineArn=machine, name=name) == wanted
    assert refused(raw.create_activity, name=name) == wanted


def test_input_that_is_no_json_or_too_large_is_refused(machines: Machines) -> None:
    start, machine = machines.client.start_execution, machines.make({"One": PASS}, "inputs")
    assert refused(start, stateMachineArn=machine, input="{'a': 1}")[0] == "InvalidExecutionInput"
    assert refused(start, stateMachineArn=machine, input="NaN")[0] == "InvalidExecutionInput"
    code, message = refused(start, stateMachineArn=machine, input=json.dumps("x" * 262_144))
    assert code == "ValidationException"
    assert "262144" in message


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"StartAt": "One"}, "These fields are required: [States] at /"),
        ({"StartAt": "Two", "States": {"One": PASS}}, "Missing 'StartAt' target: Two at /StartAt"),
        ({"StartAt": "One", "States": {"One": {"Type": "Pass", "Next": "Two"}}}, "at /States/One/Next"),
        ({"StartAt": "One", "States": {"One": {"Type": "Pass"}}}, "at /States/One"),
        ({"StartAt": "One", "States": {"One": {"Type": "Poss", "End": True}}}, "at /States/One/Type"),
    ],
)
def test_a_definition_that_aws_refuses_is_refused_with_the_place(
    machines: Machines, definition: Any, problem: str
) -> None:
    text = json.dumps(definition)
    code, message = refused(machines.client.create_state_machine, name="wrong", definition=text, roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert problem in message
    assert machines.client.validate_state_machine_definition(definition=text)["result"] == "FAIL"


def test_a_job_that_would_not_be_waited_for_is_refused_by_name(machines: Machines) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::codebuild:startBuild.sync", "End": True}
    text = json.dumps({"StartAt": "Train", "States": {"Train": task}})
    code, message = refused(machines.client.create_state_machine, name="sync", definition=text, roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert "cannot wait for jobs of codebuild at /States/Train/Resource" in message


def test_creating_again_is_the_same_machine_and_another_definition_is_refused(machines: Machines) -> None:
    create = machines.client.create_state_machine
    first = create(name="again", definition=DEFINITION, roleArn=ROLE)
    assert create(name="again", definition=DEFINITION, roleArn=ROLE)["creationDate"] == first["creationDate"]
    other = json.dumps({"StartAt": "Two", "States": {"Two": PASS}})
    assert refused(create, name="again", definition=other, roleArn=ROLE)[0] == "StateMachineAlreadyExists"


def test_an_execution_started_again_is_the_same_while_it_runs(machines: Machines) -> None:
    client, machine = machines.client, machines.make({"One": WAIT}, "once")
    first = client.start_execution(stateMachineArn=machine, name="only", input="{}")
    assert client.start_execution(stateMachineArn=machine, name="only", input="{}")["startDate"] == first["startDate"]
    code, _ = refused(client.start_execution, stateMachineArn=machine, name="only", input="[]")
    assert code == "ExecutionAlreadyExists"
    client.stop_execution(executionArn=first["executionArn"], error="Enough", cause="tea time")
    ended = client.describe_execution(executionArn=first["executionArn"])
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Enough", "tea time")
    assert machines.events(first["executionArn"])[-1]["type"] == "ExecutionAborted"


def test_versions_stay_and_an_alias_leads_to_one(machines: Machines) -> None:
    client = machines.client
    made = client.create_state_machine(name="versioned", definition=DEFINITION, roleArn=ROLE, publish=True)
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": made["stateMachineVersionArn"], "weight": 100}]
    )["stateMachineAliasArn"]
    changed = json.dumps({"StartAt": "New", "States": {"New": PASS}})
    client.update_state_machine(stateMachineArn=made["stateMachineArn"], definition=changed)
    ended = machines.ended(client.start_execution(stateMachineArn=alias)["executionArn"])
    assert ended["stateMachineVersionArn"] == made["stateMachineVersionArn"]
    assert ended["stateMachineAliasArn"] == alias
    shown = client.describe_state_machine_for_execution(executionArn=ended["executionArn"])
    assert json.loads(shown["definition"]) == json.loads(DEFINITION)
    code, message = refused(client.delete_state_machine_version, stateMachineVersionArn=made["stateMachineVersionArn"])
    assert code == "ConflictException"
    assert "[live]" in message


def test_executions_are_listed_newest_first_in_pages(machines: Machines) -> None:
    client, machine = machines.client, machines.make({"One": PASS}, "listed")
    started = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(5)]
    for execution in started:
        machines.ended(execution)
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    assert [one["executionArn"] for page in pages for one in page["executions"]] == started[::-1]
    code, _ = refused(client.list_executions, stateMachineArn=machine, nextToken="made up")
    assert code == "InvalidToken"


def test_plain_boto3_reaches_an_express_machine_and_a_tested_state(machines: Machines) -> None:
    machine = machines.make({"One": {**PASS, "Result": 7}}, "express", kind="EXPRESS")
    answer = machines.client.start_sync_execution(stateMachineArn=machine)
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", "7")
    assert ":express:express:" in answer["executionArn"]
    assert refused(machines.client.list_executions, stateMachineArn=machine)[0] == "StateMachineTypeNotSupported"
    tested = machines.client.test_state(definition=json.dumps({**PASS, "Parameters": {"b.$": "$.a"}}), input='{"a": 1}')
    assert (tested["status"], json.loads(tested["output"])) == ("SUCCEEDED", {"b": 1})


def test_a_tested_state_says_which_retrier_or_catcher_its_mocked_error_meets(machines: Machines) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f"},
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}],
        "End": True,
    }
    request = {
        "definition": json.dumps(state),
        "mock": {"errorOutput": {"error": "Busy", "cause": "tea time"}},
        "inspectionLevel": "DEBUG",
    }
    once = machines.client.test_state(**request)
    assert once["status"] == "RETRIABLE"
    assert once["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 3}
    spent = machines.client.test_state(**request, stateConfiguration={"retrierRetryCount": 2})
    assert (spent["status"], spent["nextState"]) == ("CAUGHT_ERROR", "Sorry")
    code, message = refused(machines.client.test_state, **{**request, "mock": {"result": '{"StatusCode": "200"}'}})
    assert (code, message.split(": ")[1]) == ("ValidationException", "Field 'StatusCode' must be a number")


def test_a_worker_takes_a_task_of_an_activity_and_answers_it(machines: Machines) -> None:
    client = machines.client
    activity = client.create_activity(name="baking")["activityArn"]
    assert client.create_activity(name="baking")["activityArn"] == activity
    machine = machines.make({"Bake": {"Type": "Task", "Resource": activity, "End": True}}, "bakery")
    execution = client.start_execution(stateMachineArn=machine, input='{"trays": 2}')["executionArn"]
    task = client.get_activity_task(activityArn=activity, workerName="oven")
    assert json.loads(task["input"]) == {"trays": 2}
    client.send_task_success(taskToken=task["taskToken"], output='"done"')
    assert machines.ended(execution)["output"] == '"done"'
    assert refused(client.send_task_success, taskToken="made up", output="1")[0] == "InvalidToken"


def test_after_kill_9_everything_is_there_and_what_ran_has_failed(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as first:
        client, machine = first.client, first.make({"One": WAIT}, "kept")
        client.tag_resource(resourceArn=machine, tags=[{"key": "team", "value": "tea"}])
        activity = client.create_activity(name="kept")["activityArn"]
        execution = client.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
        eventually(lambda: len(first.events(execution)) == 2)
        first.process.kill()
    with serving(tmp_path / "state") as second:
        client = second.client
        assert client.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "team", "value": "tea"}]
        assert client.describe_activity(activityArn=activity)["name"] == "kept"
        ended = client.describe_execution(executionArn=execution)
        assert (ended["status"], ended["error"], ended["input"]) == ("FAILED", "States.Runtime", '{"a": 1}')
        kinds = [event["type"] for event in second.events(execution)]
        assert kinds == ["ExecutionStarted", "WaitStateEntered", "ExecutionFailed"]
        client.redrive_execution(executionArn=execution)
        assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
        eventually(lambda: second.events(execution)[-1]["type"] == "ExecutionRedriven")
        client.stop_execution(executionArn=execution)


def test_web_pages_are_refused(machines: Machines) -> None:
    answer = httpx.post(f"http://127.0.0.1:{_port(machines)}/", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def _port(machines: Machines) -> int:
    return int(machines.client.meta.endpoint_url.rsplit(":", 1)[1])
