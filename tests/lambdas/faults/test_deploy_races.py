"""Deployments that meet each other: what is under way is waited for, and nothing is deployed twice."""

from __future__ import annotations

import json

import pytest
from deploy_walker import Walk, approval, config_of, outcome, walked
from fake_aws import ENDPOINT, FakeAws
from lambda_support import CONTEXT, LIVE_PARAMETER, MONITOR_PARAMETER

from lambdas.monitor.handler import handler


def test_an_update_already_under_way_is_waited_for(live_one: FakeAws) -> None:
    live_one.register(2)
    live_one.register(3)
    live_one.approve(3, "PendingManualApproval")
    first = Walk(approval(2))
    first.to("CheckEndpoint")
    live_one.approve(3)
    second = walked(approval(3))
    assert "WaitForTurn" in second.path
    assert second.path[-1] == "Deployed"
    while first.at is not None:
        first.step()
    assert outcome(first) == "NothingToDo", "it was overtaken"
    assert live_one.live["EndpointConfigName"] == config_of(3)
    assert json.loads(live_one.parameters[LIVE_PARAMETER])["version"] == 3


def test_two_runs_of_one_approval_deploy_once(aws: FakeAws) -> None:
    aws.register(1)
    first, second = Walk(approval(1)), Walk(approval(1))
    while first.at or second.at:
        for walk in (first, second):
            if walk.at:
                walk.step()
    assert {outcome(first), outcome(second)} <= {"Deployed", "NothingToDo"}
    assert aws.calls.count("CreateEndpoint") == 1
    assert (len(aws.models), len(aws.configs)) == (1, 1)


def test_a_duplicate_during_the_deployment_leaves_it_to_the_run_that_is_at_it(live_one: FakeAws) -> None:
    live_one.register(2)
    first = Walk(approval(2))
    first.to("CheckEndpoint")
    assert walked(approval(2)).path == ["ReviewPackage", "Wanted?", "NothingToDo"]
    while first.at is not None:
        first.step()
    assert outcome(first) == "Deployed"


STATES = (
    *("ReviewPackage", "Wanted?", "CreateModel", "ModelCreated?", "CreateEndpointConfig", "ConfigCreated?"),
    *("ApplyEndpoint", "Applied?", "CheckEndpoint", "InService?", "WaitForEndpoint", "SmokeTest", "Answered?"),
    *("AttachInference", "Attached?", "AttachMonitor", "ConfirmApproval", "Confirmed?", "NotifyDeployed", "Deployed"),
)


@pytest.mark.parametrize("state", STATES)
def test_a_run_that_was_killed_before_any_state_is_finished_by_the_next(live_one: FakeAws, state: str) -> None:
    """What is made is made once; approving again, or a late duplicate of the event, does the rest."""
    live_one.register(2)
    live_one.calls.clear()
    killed = Walk(approval(2))
    killed.to(state)
    while live_one.op_describe_endpoint({"EndpointName": ENDPOINT})["EndpointStatus"] != "InService":
        """SageMaker goes on with what it was asked for."""
    again = walked(approval(2))
    assert outcome(again) in {"Deployed", "NothingToDo"}
    assert live_one.live["EndpointConfigName"] == config_of(2)
    assert json.loads(live_one.parameters[LIVE_PARAMETER])["version"] == 2
    if state in {"Attached?", "AttachMonitor"}:  # it is live already, and people may have switched the monitor off
        assert handler({"action": "attach"}, CONTEXT)["outcome"] == "ok", "scones monitor schedule on"
    assert json.loads(live_one.parameters[MONITOR_PARAMETER])["version"] == 2
    assert [live_one.calls.count(call) for call in ("UpdateEndpoint", "CreateModel", "CreateEndpointConfig")] == [1] * 3


def test_every_state_of_a_deployment_is_one_that_a_run_is_killed_before(live_one: FakeAws) -> None:
    live_one.register(2)
    assert set(walked(approval(2)).path) == set(STATES)


def test_another_run_that_is_faster_by_a_moment_is_waited_for(live_one: FakeAws) -> None:
    """Between looking at the endpoint and updating it, somebody else began an update."""
    live_one.register(2)

    def somebody_begins() -> None:
        live_one.endpoints[ENDPOINT] |= {"EndpointStatus": "SystemUpdating", "left": 3}

    live_one.hooks["UpdateEndpoint"] = somebody_begins
    walk = walked(approval(2))
    assert "WaitForTurn" in walk.path
    assert walk.path[-1] == "Deployed"
