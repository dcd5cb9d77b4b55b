"""An approval that is withdrawn at any moment of a deployment: the version never stays live, whoever sees it first."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from deploy_walker import Walk, approval, assert_nothing_is_live, config_of, outcome, walked
from fake_aws import ENDPOINT, FakeAws, arn, probabilities
from lambda_support import LIVE_PARAMETER, MONITOR_PARAMETER

DEPLOYMENT = [
    *("ReviewPackage", "Wanted?", "CreateModel", "ModelCreated?", "CreateEndpointConfig", "ConfigCreated?"),
    *("ApplyEndpoint", "Applied?", "CheckEndpoint", "InService?", "WaitForEndpoint", "CheckEndpoint", "InService?"),
    *("SmokeTest", "Answered?", "AttachInference", "Attached?", "AttachMonitor", "ConfirmApproval"),
    *("Confirmed?", "NotifyDeployed", "Deployed"),
]
STEPS = range(len(DEPLOYMENT))
READ_AGAIN = range(DEPLOYMENT.index("ConfirmApproval") + 1)
"""The steps after which the run itself reads the approval once more."""
at_every = pytest.mark.parametrize("steps", STEPS, ids=[f"{n}-{name}" for n, name in enumerate(DEPLOYMENT)])
at_every_read = pytest.mark.parametrize("steps", READ_AGAIN, ids=[f"{n}-{DEPLOYMENT[n]}" for n in READ_AGAIN])


def under_way(aws: FakeAws, version: int, steps: int) -> Walk:
    """A deployment of that version after `steps` of its states."""
    aws.register(version)
    walk = Walk(approval(version))
    for _ in range(steps):
        walk.step()
    return walk


def finish(*walks: Walk, choose: Callable[[list[Walk]], Walk] = lambda running: running[0]) -> None:
    """Run the executions to their ends; `choose` says whose turn it is."""
    while running := [walk for walk in walks if walk.at is not None]:
        choose(running).step()


def assert_live(aws: FakeAws, version: int) -> None:
    assert (aws.live["EndpointStatus"], aws.live["EndpointConfigName"]) == ("InService", config_of(version))
    assert json.loads(aws.parameters[LIVE_PARAMETER])["version"] == version
    assert json.loads(aws.parameters[MONITOR_PARAMETER])["version"] == version


def test_the_steps_are_those_of_a_deployment(live_one: FakeAws) -> None:
    walk = under_way(live_one, 2, 0)
    finish(walk)
    assert walk.path == DEPLOYMENT


@at_every_read
def test_the_run_itself_takes_back_what_was_withdrawn_when_the_event_is_lost(live_one: FakeAws, steps: int) -> None:
    walk = under_way(live_one, 2, steps)
    live_one.approve(2, "Rejected")
    finish(walk)
    assert_live(live_one, 1)
    assert not [message for message in walk.messages if "Version 2" in message[1]]


@at_every
@pytest.mark.parametrize("events", [1, 2], ids=["event", "doubled"])
@pytest.mark.parametrize("order", ["event first", "event last", "in turn", 1, 2])
def test_the_rejections_event_and_the_run_end_with_the_version_before(
    live_one: FakeAws, steps: int, events: int, order: str | int
) -> None:
    walk = under_way(live_one, 2, steps)
    live_one.approve(2, "Rejected")
    runs = [Walk(approval(2, "Rejected")) for _ in range(events)]
    if order == "event first":
        finish(*runs, walk)
    elif order == "event last":
        finish(walk, *runs)
    else:
        turns = random.Random(order if isinstance(order, int) else 0)
        finish(walk, *runs, choose=lambda running: turns.choice(running))
    assert_live(live_one, 1)


@at_every
@pytest.mark.parametrize("order", ["event first", "event last", "in turn"])
def test_without_a_version_before_nothing_stays_live(aws: FakeAws, steps: int, order: str) -> None:
    walk = under_way(aws, 1, min(steps, len(DEPLOYMENT) - 1))
    aws.approve(1, "Rejected")
    event = Walk(approval(1, "Rejected"))
    if order == "in turn":
        turns = random.Random(3)
        finish(walk, event, choose=lambda running: turns.choice(running))
    else:
        finish(*((event, walk) if order == "event first" else (walk, event)))
    assert_nothing_is_live(aws)


@at_every_read
def test_without_a_version_before_and_with_a_lost_event_nothing_stays_live(aws: FakeAws, steps: int) -> None:
    walk = under_way(aws, 1, steps)
    aws.approve(1, "Rejected")
    finish(walk)
    assert_nothing_is_live(aws)


@at_every
@pytest.mark.parametrize("seed", range(3))
def test_a_version_that_is_approved_again_is_live_in_the_end(live_one: FakeAws, steps: int, seed: int) -> None:
    """Whether the second approval comes while the first run, or the one that takes it back, is at work."""
    turns = random.Random(seed)
    walks = [under_way(live_one, 2, steps)]
    live_one.approve(2, "Rejected")
    walks.append(Walk(approval(2, "Rejected")))
    for _ in range(turns.randrange(40)):
        if running := [walk for walk in walks if walk.at is not None]:
            turns.choice(running).step()
    live_one.approve(2)
    walks.append(Walk(approval(2)))
    finish(*walks, choose=turns.choice)
    assert_live(live_one, 2)


@at_every
def test_a_late_event_of_the_approval_brings_nothing_back(live_one: FakeAws, steps: int) -> None:
    walk = under_way(live_one, 2, steps)
    live_one.approve(2, "Rejected")
    finish(Walk(approval(2, "Rejected")), walk, Walk(approval(2)))
    assert_live(live_one, 1)


def test_neither_version_stays_live_when_both_are_rejected_while_the_newer_one_bakes(live_one: FakeAws) -> None:
    walk = under_way(live_one, 2, DEPLOYMENT.index("CheckEndpoint"))
    live_one.approve(1, "Rejected")
    live_one.approve(2, "Rejected")
    finish(walk, Walk(approval(1, "Rejected")), Walk(approval(2, "Rejected")))
    assert_nothing_is_live(live_one)


@pytest.mark.parametrize("failure", ["rolled_back", "smoke test"])
def test_a_version_that_cannot_be_put_back_leaves_nothing_live_and_people_are_told(
    live_one: FakeAws, failure: str
) -> None:
    live_one.register(2)
    walked(approval(2))
    live_one.approve(2, "Rejected")
    if failure == "rolled_back":
        live_one.endings = ["rolled_back"]
    else:
        live_one.answers = [probabilities(0.2, 0.3, 0.5)]
    walk = walked(approval(2, "Rejected"))
    assert outcome(walk) == {"rolled_back": "RolledBack", "smoke test": "SmokeTestFailed"}[failure]
    assert [subject for subject, _ in walk.messages] == ["Scones: deployment failed, endpoint needs attention"]
    assert "nothing is live" in walk.cause
    assert_nothing_is_live(live_one)


def test_a_version_for_other_classes_does_not_keep_the_rejected_one_live(
    live_one: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_one.register(2)
    walked(approval(2))
    live_one.packages[arn(1)]["CustomerMetadataProperties"] = {"classes": "motorcycle bicycle"}
    live_one.approve(2, "Rejected")
    assert outcome(walked(approval(2, "Rejected"))) == "NothingToDo"
    assert_nothing_is_live(live_one)


def test_the_version_of_an_endpoint_that_is_switched_off_is_forgotten_and_nothing_is_started(live_one: FakeAws) -> None:
    live_one.register(2)
    walked(approval(2))
    del live_one.endpoints[ENDPOINT]
    live_one.schedules.clear()
    live_one.approve(2, "Rejected")
    finish(Walk(approval(2, "Rejected")))
    assert_nothing_is_live(live_one)


def test_the_failed_deployment_of_a_rejected_version_is_undone_as_ever(live_one: FakeAws) -> None:
    walk = under_way(live_one, 2, DEPLOYMENT.index("SmokeTest"))
    live_one.approve(2, "Rejected")
    live_one.answers = [probabilities(0.2, 0.3, 0.5)]
    finish(walk)
    assert outcome(walk) == "SmokeTestFailed"
    assert_live(live_one, 1)
