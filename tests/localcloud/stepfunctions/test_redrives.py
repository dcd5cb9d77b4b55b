"""RedriveExecution, as the API reference and the developer guide have it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stepfunctions_support import Machines

PASS = {"Type": "Pass", "End": True}
GATE = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:gate", "End": True}


def _redriven(machines: Machines, execution: str) -> dict[str, Any]:
    machines.client.redrive_execution(executionArn=execution)
    return machines.ended(execution)


def _entered(machines: Machines, execution: str) -> Counter[str]:
    events = machines.events(execution)
    return Counter(event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event)


def test_an_execution_goes_on_from_the_state_that_failed(machines: Machines, open_gates: set[str]) -> None:
    states = {
        "Note": {"Type": "Pass", "Assign": {"table.$": "$.table"}, "Next": "Point"},
        "Point": {"Type": "Pass", "Result": "door", "Next": "Enter"},
        "Enter": {"Type": "Task", "Resource": GATE["Resource"], "Next": "Sit"},
        "Sit": {**PASS, "Parameters": {"table.$": "$table", "count.$": "$$.Execution.RedriveCount"}},
    }
    failed = machines.run(states, {"table": 7}, "redriven")
    arn = failed["executionArn"]
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    open_gates.add("door")
    ended = _redriven(machines, arn)
    assert json.loads(ended["output"]) == {"table": 7, "count": 1}
    assert (ended["redriveCount"], ended["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    assert ended["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert _entered(machines, arn) == {"Note": 1, "Point": 1, "Enter": 1, "Sit": 1}
    events = machines.events(arn)
    (redriven,) = [event for event in events if event["type"] == "ExecutionRedriven"]
    assert redriven["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[redriven["id"]]["type"] == "LambdaFunctionScheduled"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        machines.client.redrive_execution(executionArn=arn)


def test_only_branches_and_iterations_that_failed_run_again(machines: Machines, open_gates: set[str]) -> None:
    loop = {"StartAt": "Call", "States": {"Call": {"Type": "Pass", "Next": "Enter"}, "Enter": GATE}}
    states = {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Quick", "States": {"Quick": PASS}},
                {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": loop, "End": True}}},
            ],
            "End": True,
        }
    }
    open_gates |= {"a", "c"}
    failed = machines.run(states, ["a", "b", "c"], "redriven-branches", QueryLanguage="JSONPath")
    assert (failed["status"], failed["error"]) == ("FAILED", "GateClosedError")
    assert _redriven(machines, failed["executionArn"])["status"] == "FAILED"
    open_gates.add("b")
    ended = _redriven(machines, failed["executionArn"])
    assert json.loads(ended["output"]) == [["a", "b", "c"], ["through a", "through b", "through c"]]
    assert ended["redriveCount"] == 2
    assert _entered(machines, failed["executionArn"])["Quick"] == 1
    assert _entered(machines, failed["executionArn"])["Call"] == 3


def test_the_same_token_redrives_once(machines: Machines, open_gates: set[str]) -> None:
    failed = machines.run({"Enter": GATE}, "token", "redriven-once")
    arn = failed["executionArn"]
    first = machines.client.redrive_execution(executionArn=arn, clientToken="one")["redriveDate"]
    assert machines.ended(arn)["redriveDate"] == first
    assert machines.client.redrive_execution(executionArn=arn, clientToken="one")["redriveDate"] == first
    assert machines.ended(arn)["redriveCount"] == 1
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        machines.client.redrive_execution(executionArn=f"{arn}-other")


def test_a_stopped_execution_can_be_redriven_and_a_running_one_not(machines: Machines) -> None:
    machine = machines.make({"Rest": {"Type": "Wait", "Seconds": 600, "End": True}}, "redriven-stopped")
    arn = machines.client.start_execution(stateMachineArn=machine)["executionArn"]
    described = machines.client.describe_execution(executionArn=arn)
    assert described["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        machines.client.redrive_execution(executionArn=arn)
    machines.client.stop_execution(executionArn=arn)
    machines.client.redrive_execution(executionArn=arn)
    again = machines.client.describe_execution(executionArn=arn)
    assert (again["status"], again["redriveCount"], "stopDate" in again) == ("RUNNING", 1, False)
    machines.client.stop_execution(executionArn=arn)


def test_a_map_run_is_redriven_where_children_failed(machines: Machines, open_gates: set[str]) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "Enter", "States": {"Enter": GATE}}
    states = {"Each": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}}
    open_gates.add("a")
    failed = machines.run(states, ["a", "b", "c"], "redriven-map-run")
    arn, client = failed["executionArn"], machines.client
    assert failed["error"] == "States.ExceedToleratedFailureThreshold"
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]
    assert (counts["succeeded"], counts["failed"], counts["pending"]) == (1, 1, 1)
    open_gates |= {"b", "c"}
    ended = _redriven(machines, arn)
    assert json.loads(ended["output"]) == ["through a", "through b", "through c"]
    described = client.describe_map_run(mapRunArn=run["mapRunArn"])
    assert (described["status"], described["redriveCount"]) == ("SUCCEEDED", 1)
    assert described["executionCounts"]["succeeded"] == described["executionCounts"]["total"] == 3
    children = client.list_executions(mapRunArn=run["mapRunArn"], redriveFilter="REDRIVEN")["executions"]
    assert [child["redriveCount"] for child in children] == [1]
    kinds = [event["type"] for event in machines.events(arn)]
    assert (kinds.count("MapRunStarted"), kinds.count("MapRunRedriven")) == (1, 1)
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        client.redrive_execution(executionArn=children[0]["executionArn"])
