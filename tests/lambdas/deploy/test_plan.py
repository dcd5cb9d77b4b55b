"""From an approval to a live endpoint: the definition and the handler together."""

from __future__ import annotations

import json

import pytest
from deploy_walker import approval, assert_nothing_is_live, assert_only_version_one_is_left, config_of, outcome, walked
from fake_aws import FakeAws, arn
from lambda_support import LIVE_PARAMETER

from lambdas.deploy.plan import hosting, names, next_pause
from lambdas.deploy.switch import deployment_config


def test_the_first_approval_creates_the_endpoint_and_lets_the_workflow_in(aws: FakeAws) -> None:
    aws.register(1)
    walk = walked(approval(1))
    assert walk.path[-1] == "Deployed"
    assert walk.messages == [
        ("Scones: model deployed", "Version 1 of scones-unlimited is live on endpoint scones-unlimited.")
    ]
    config = aws.configs[aws.live["EndpointConfigName"]]
    assert aws.models[config["ProductionVariants"][0]["ModelName"]]["PrimaryContainer"] == {"ModelPackageName": arn(1)}
    capture = config["DataCaptureConfig"]
    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (True, 100)
    assert capture["CaptureContentTypeHeader"] == {"JsonContentTypes": ["application/json", "application/jsonlines"]}
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == ["Input", "Output"]
    live = json.loads(aws.parameters[LIVE_PARAMETER])
    assert (live["model_package_arn"], live["classes"]) == (arn(1), ["bicycle", "motorcycle"])
    assert aws.enabled_rules == ["scones-unlimited-incoming"]
    assert aws.invocations[0][0]["X-Amzn-SageMaker-Inference-Id"].startswith("smoke/")


def test_pauses_grow_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLL_SECONDS", "15")
    pauses = [next_pause({})]
    while len(pauses) < 6:
        pauses.append(next_pause({"poll_seconds": pauses[-1]}))
    assert pauses == [1, 2, 4, 8, 15, 15]


def test_it_can_be_started_by_hand_with_an_arn(aws: FakeAws) -> None:
    assert walked({"model_package_arn": aws.register(1)}).path[-1] == "Deployed"


def test_a_newer_version_replaces_the_live_one_and_keeps_what_it_needs_to_go_back(live_one: FakeAws) -> None:
    live_one.register(2)
    assert walked(approval(2)).path[-1] == "Deployed"
    assert live_one.live["EndpointConfigName"] == config_of(2)
    assert config_of(1) in live_one.configs


@pytest.mark.parametrize("version", [1, 2])
def test_a_duplicate_or_late_event_is_a_logged_no_op(live_one: FakeAws, version: int) -> None:
    live_one.register(2)
    walked(approval(2))
    live_one.calls.clear()
    walk = walked(approval(version))
    assert walk.path == ["ReviewPackage", "Wanted?", "NothingToDo"]
    assert walk.plan["message"]
    assert not [call for call in live_one.calls if not call.startswith(("Describe", "List", "Get"))]


def test_out_of_order_approvals_end_with_the_newest(aws: FakeAws) -> None:
    aws.register(1)
    aws.register(2)
    assert [walked(approval(2)).path[-1], walked(approval(1)).path[-1]] == ["Deployed", "NothingToDo"]
    assert aws.live["EndpointConfigName"] == config_of(2)


def test_an_approval_withdrawn_before_the_run_changes_nothing(live_one: FakeAws) -> None:
    live_one.register(2, "Rejected")
    walk = walked(approval(2))
    assert outcome(walk) == "NothingToDo"
    assert_only_version_one_is_left(live_one)


def test_rejecting_the_live_version_brings_the_last_approved_one_back(live_one: FakeAws) -> None:
    live_one.register(2)
    walked(approval(2))
    live_one.approve(2, "Rejected")
    assert walked(approval(2, "Rejected")).path[-1] == "Deployed"
    assert live_one.live["EndpointConfigName"] == config_of(1)


def test_rejecting_the_only_version_leaves_nothing_live_and_tells_people(live_one: FakeAws) -> None:
    live_one.approve(1, "Rejected")
    walk = walked(approval(1, "Rejected"))
    assert outcome(walk) == "NothingToDo"
    assert_nothing_is_live(live_one)
    assert [subject for subject, _ in walk.messages] == ["Scones: model withdrawn, nothing is live"]
    assert f"{arn(1)} is not approved" in walk.messages[0][1]


def test_another_groups_event_is_nobodys_business_here(aws: FakeAws) -> None:
    other = "arn:aws:sagemaker:us-east-1:000000000000:model-package/somebody-else/3"
    assert outcome(walked({"detail": {"ModelPackageArn": other}})) == "NothingToDo"


def test_names_are_deterministic_within_limits_and_say_what_they_name(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{'g' * 63}/123456789"
    made = names(hosting(), long)
    assert all(len(name) <= 63 for name in made.values())
    assert names(hosting(), long) == made
    assert "-v123456789-" in made["model"]
    monkeypatch.setenv("INSTANCE_TYPE", "ml.c6i.large")
    other = names(hosting(), long)
    assert (other["model"], other["config"] != made["config"]) == (made["model"], True)


def test_another_instance_type_is_deployed_under_a_new_configuration(
    live_one: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTANCE_TYPE", "ml.c6i.large")
    assert walked(approval(1)).path[-1] == "Deployed"
    assert len(live_one.configs) == 2


@pytest.mark.parametrize(("count", "kind"), [("1", "ALL_AT_ONCE"), ("2", "CANARY")])
def test_blue_green_takes_a_canary_when_there_are_two_instances(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, count: str, kind: str
) -> None:
    monkeypatch.setenv("INSTANCE_COUNT", count)
    monkeypatch.setenv("BAKE_SECONDS", "300")
    config = deployment_config(hosting(), "scones-v1-00000000")
    routing = config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["WaitIntervalInSeconds"]) == (kind, 300)
    watched = [alarm["AlarmName"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]]
    assert watched == ["scones-v1-00000000-errors", "scones-v1-00000000-latency"]
