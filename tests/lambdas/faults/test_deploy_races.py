"""Deployments that meet each other: what is under way is waited for, and nothing is deployed twice."""

from __future__ import annotations

import json

from deploy_walker import Walk, approval, config_of, outcome, walked
from fake_aws import ENDPOINT, FakeAws
from lambda_support import LIVE_PARAMETER


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


def test_a_run_that_was_killed_before_its_end_is_finished_by_the_next(aws: FakeAws) -> None:
    """The endpoint is in service, and nobody was told: approving again (or a late duplicate) does the rest."""
    aws.register(1)
    killed = Walk(approval(1))
    killed.to("SmokeTest")
    assert walked(approval(1)).path[-1] == "Deployed"
    assert aws.calls.count("CreateEndpoint") == 1
    assert json.loads(aws.parameters[LIVE_PARAMETER])["version"] == 1


def test_another_run_that_is_faster_by_a_moment_is_waited_for(live_one: FakeAws) -> None:
    """Between looking at the endpoint and updating it, somebody else began an update."""
    live_one.register(2)

    def somebody_begins() -> None:
        live_one.endpoints[ENDPOINT] |= {"EndpointStatus": "SystemUpdating", "left": 3}

    live_one.hooks["UpdateEndpoint"] = somebody_begins
    walk = walked(approval(2))
    assert "WaitForTurn" in walk.path
    assert walk.path[-1] == "Deployed"
