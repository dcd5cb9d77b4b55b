"""A machine runs another one.

AWS: developer guide, "Start a new AWS Step Functions workflow from a running execution".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloud_fixtures import eventually
from job_support import unique
from stepfunctions_support import Machines, call, succeeded


@pytest.mark.parametrize(("pattern", "output"), [(".sync:2", {"n": 5}), (".sync", '{"n":5}')])
def test_a_machine_runs_another_and_goes_on_with_its_output(
    cloud_machines: Machines, pattern: str, output: Any
) -> None:
    child = cloud_machines.make({"Add": {"Type": "Pass", "End": True}}, unique("child"))
    given = {
        "StateMachineArn": child,
        "Input": {"n.$": "$.n", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id"},
    }
    del given["Input"]["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"]
    result = succeeded(
        cloud_machines.run({"Run": call(f"states:startExecution{pattern}", given)}, {"n": 5}, unique("parent"))
    )
    assert (result["Status"], result["Output"], result["StateMachineArn"]) == ("SUCCEEDED", output, child)
    assert isinstance(result["StartDate"], int)


def test_a_child_that_fails_fails_its_parent_and_a_stopped_parent_stops_its_child(cloud_machines: Machines) -> None:
    failing = cloud_machines.make({"No": {"Type": "Fail", "Error": "Mine", "Cause": "no"}}, unique("child"))
    ended = cloud_machines.run(
        {"Run": call("states:startExecution.sync:2", {"StateMachineArn": failing})}, {}, unique("parent")
    )
    assert (ended["error"], json.loads(ended["cause"])["Error"]) == ("States.TaskFailed", "Mine")
    waiting = cloud_machines.make({"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}, unique("child"))
    parent = cloud_machines.make(
        {"Run": call("states:startExecution.sync:2", {"StateMachineArn": waiting, "Name": unique("run")})},
        unique("parent"),
    )
    execution = cloud_machines.client.start_execution(stateMachineArn=parent)["executionArn"]

    def children(status: str) -> Any:
        return cloud_machines.client.list_executions(stateMachineArn=waiting, statusFilter=status)["executions"]

    eventually(lambda: children("RUNNING"), 30)
    cloud_machines.client.stop_execution(executionArn=execution)
    eventually(lambda: children("ABORTED"), 30)
