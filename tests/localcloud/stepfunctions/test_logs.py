"""CloudWatch Logs have what a LoggingConfiguration asks for, in the form of the developer guide."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud, eventually
from stepfunctions_support import ROLE, client_of

STATES = {"Say": {"Type": "Pass", "Next": "Stop"}, "Stop": {"Type": "Fail", "Error": "Full", "Cause": "no place"}}
ALL = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize(
    ("level", "kinds"),
    [("ALL", ALL), ("ERROR", ["FailStateEntered", "ExecutionFailed"]), ("FATAL", ["ExecutionFailed"])],
)
def test_a_level_has_its_events(on_local_cloud: LocalCloud, kind: str, level: str, kinds: list[str]) -> None:
    sfn, logs = _clients(on_local_cloud)
    name = f"logged-{kind}-{level}"
    logs.create_log_group(logGroupName=f"/vendedlogs/{name}")
    machine = _make(sfn, name, kind, level=level, includeExecutionData=level == "ALL")
    execution = sfn.start_execution(stateMachineArn=machine, input='{"secret": 1}')["executionArn"]
    eventually(lambda: len(_messages(logs, name)) >= len(kinds))
    told = _messages(logs, name)
    assert [one["type"] for one in told] == kinds
    assert {one["execution_arn"] for one in told} == {execution}
    last = told[-1]
    assert set(last) == {
        *("id", "type", "details", "redrive_count", "previous_event_id", "event_timestamp", "execution_arn")
    }
    assert (last["id"], last["redrive_count"], last["details"]) == ("5", "0", {"cause": "no place", "error": "Full"})
    assert ("secret" in json.dumps(told)) == (level == "ALL")
    (stream,) = logs.describe_log_streams(logGroupName=f"/vendedlogs/{name}")["logStreams"]
    assert stream["logStreamName"].startswith(f"states/{name}/")


def test_a_destination_that_is_no_log_group_is_refused(on_local_cloud: LocalCloud) -> None:
    sfn, _ = _clients(on_local_cloud)
    with pytest.raises(sfn.exceptions.InvalidLoggingConfiguration):
        _make(sfn, "logged-nowhere", "STANDARD", end="", level="ALL")


def _clients(cloud: LocalCloud) -> tuple[Any, Any]:
    logs = boto3.client("logs", endpoint_url=cloud.addresses.ministack)
    return client_of(cloud.addresses.stepfunctions_port), logs


def _make(sfn: Any, name: str, kind: str, end: str = ":*", **configuration: Any) -> str:
    group = f"arn:aws:logs:us-east-1:000000000000:log-group:/vendedlogs/{name}{end}"
    logging = {**configuration, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}
    definition = json.dumps({"StartAt": "Say", "States": STATES})
    made = sfn.create_state_machine(
        name=name, type=kind, roleArn=ROLE, definition=definition, loggingConfiguration=logging
    )
    return str(made["stateMachineArn"])


def _messages(logs: Any, name: str) -> list[dict[str, Any]]:
    events = logs.filter_log_events(logGroupName=f"/vendedlogs/{name}")["events"]
    return [json.loads(event["message"]) for event in events]
