"""Deployments that fail, by their version, their endpoint or their own code, and what they leave behind."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_walker import Walk, approval, assert_only_version_one_is_left, config_of, walked
from fake_aws import FakeAws, Refused, arn, probabilities, refusal
from lambda_support import LIVE_PARAMETER


@pytest.mark.parametrize("value", ["", "nonsense", None, 7, f"{arn(1)}/extra", arn(1).rpartition("/")[0]])
def test_a_malformed_arn_fails_by_name(aws: FakeAws, value: object) -> None:
    walk = walked({"model_package_arn": value})
    assert walk.error == "BadRequest"
    assert walk.messages[0][0] == "Scones: deployment failed, nothing changed"


def test_a_package_deleted_before_the_run_fails_by_name(live_one: FakeAws) -> None:
    assert walked(approval(9)).error == "ModelPackageNotFound"
    assert_only_version_one_is_left(live_one)


def test_a_model_for_other_classes_is_not_deployed(live_one: FakeAws) -> None:
    live_one.register(2, classes="motorcycle,bicycle")
    assert walked(approval(2)).error == "ClassesDiffer"
    assert_only_version_one_is_left(live_one)


def test_a_silent_rollback_is_a_failure_and_leaves_no_trace(live_one: FakeAws) -> None:
    """The endpoint is InService, with the old configuration and no reason given."""
    live_one.register(2)
    live_one.endings = ["rolled_back"]
    walk = walked(approval(2))
    assert walk.error == "RolledBack"
    assert config_of(1) in walk.cause
    assert_only_version_one_is_left(live_one)


STANDING, MISSING = "scones-unlimited-endpoint-5xx", "scones-unlimited-monitor-missing"


def test_a_live_model_that_fails_every_request_does_not_keep_its_repair_out(
    live_one: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarms that roll back are on the new configuration; the endpoint's own, which rings, is only told."""
    monkeypatch.setenv("ENDPOINT_ALARMS", f"{STANDING},scones-unlimited-endpoint-4xx")
    live_one.ring(STANDING)
    live_one.register(2)
    walk = Walk(approval(2))
    walk.to("CheckEndpoint")
    watched = live_one.live["pending"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    made = {one["AlarmName"]: live_one.alarms[one["AlarmName"]] for one in watched}
    assert {one["MetricName"] for one in made.values()} == {"Invocation5XXErrors", "ModelLatency"}
    for one in made.values():
        dimensions = {part["Name"]: part["Value"] for part in one["Dimensions"]}
        assert dimensions["EndpointConfigName"] == config_of(2)
    while walk.at is not None:
        walk.step()
    assert walk.path[-1] == "Deployed"
    assert f"Before this deployment began, alarm {STANDING} stood already." in walk.messages[0][1]
    assert sorted(live_one.alarms) == [STANDING, MISSING], "those of the update are gone"


def test_a_rollback_says_which_alarm_of_the_new_fleet_rang_and_which_stood_before(
    live_one: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_ALARMS", STANDING)
    live_one.ring(STANDING)
    live_one.register(2)
    live_one.endings = ["rolled_back"]
    rang = f"{config_of(2)}-errors"
    walk = walked(approval(2), {"CheckEndpoint": lambda: live_one.ring(rang)})
    assert walk.error == "RolledBack"
    assert f"Alarm {rang} rings: the new fleet failed." in walk.cause
    assert f"alarm {STANDING} stood already" in walk.cause
    assert_only_version_one_is_left(live_one)
    assert sorted(live_one.alarms) == [STANDING, MISSING]


def test_an_alarm_that_an_earlier_run_left_ringing_is_made_anew(live_one: FakeAws) -> None:
    live_one.register(2)
    left = f"{config_of(2)}-errors"
    live_one.ring(left)
    walk = Walk(approval(2))
    walk.to("CheckEndpoint")
    assert live_one.alarms[left]["StateValue"] == "INSUFFICIENT_DATA"


def test_an_alarm_that_cannot_be_deleted_is_told_and_ends_no_good_deployment(live_one: FakeAws) -> None:
    live_one.register(2)

    def refuse() -> None:
        def denied() -> None:
            live_one.hooks["DeleteAlarms"] = denied
            raise Refused("no", "AccessDeniedException")

        live_one.hooks["DeleteAlarms"] = denied

    walk = walked(approval(2), {"CheckEndpoint": refuse})
    assert walk.path[-1] == "Deployed"
    assert f"deleting alarm {config_of(2)}-errors" in walk.messages[0][1]


def test_the_smoke_test_keeps_a_probability_per_class_and_nothing_beside(live_one: FakeAws) -> None:
    live_one.register(2)
    live_one.answers = [probabilities(0.25, 0.75, unfamiliarity=0.5)]
    walk = Walk(approval(2))
    walk.to("Answered?")
    assert walk.plan["smoke_test"] == {"bicycle": 0.25, "motorcycle": 0.75}


def test_a_failed_smoke_test_brings_the_old_version_back(live_one: FakeAws) -> None:
    live_one.register(2)
    live_one.answers = [probabilities(0.2, 0.3, 0.5)]
    walk = walked(approval(2))
    assert (walk.error, walk.path.count("UndoDeploy") > 1) == ("SmokeTestFailed", True)
    assert_only_version_one_is_left(live_one)


def test_a_first_endpoint_that_fails_its_smoke_test_is_taken_away(aws: FakeAws) -> None:
    aws.register(1)
    aws.answers = [refusal("ModelError", 424, OriginalStatusCode=415)]
    assert walked(approval(1)).error == "SmokeTestFailed"
    assert not (aws.endpoints or aws.configs or aws.models or aws.parameters.get(LIVE_PARAMETER))


def test_an_endpoint_that_never_becomes_healthy_is_taken_away(aws: FakeAws) -> None:
    aws.register(1)
    aws.endings = ["failed"]
    walk = walked(approval(1))
    assert walk.error == "EndpointFailed"
    assert "ping" in walk.cause
    assert not (aws.endpoints or aws.configs or aws.models)


def test_a_failed_endpoint_of_yesterday_is_replaced(aws: FakeAws) -> None:
    aws.register(1)
    aws.endings = ["failed"]
    walk = Walk(approval(1))
    walk.to("UndoDeploy")  # the run ended here, before it could undo anything
    assert walked(approval(1)).path[-1] == "Deployed"


def test_an_update_that_hangs_is_given_up_and_said_to_need_people(
    live_one: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_LIMIT_SECONDS", "1")
    live_one.register(2)
    live_one.endings = ["hang"]
    clock = [1_000_000.0]
    monkeypatch.setattr("lambdas.deploy.plan.time.time", lambda: clock.__setitem__(0, clock[0] + 0.2) or clock[0])
    walk = walked(approval(2))
    assert walk.error == "DeployTimedOut"
    assert walk.messages[0][0] == "Scones: deployment failed, endpoint needs attention"
    assert config_of(1) in live_one.configs


def test_throttling_for_ever_ends_with_its_name(live_one: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    from lambdas import clients

    monkeypatch.setattr(clients, "_config", lambda attempts, read_timeout: _quick())
    clients.sagemaker.cache_clear()
    live_one.register(2)

    def throttled(_: Any) -> Any:
        raise Refused("Rate exceeded", "ThrottlingException")

    monkeypatch.setattr(live_one, "op_create_model", throttled)
    walk = walked(approval(2))
    assert walk.error == "Throttled"
    assert_only_version_one_is_left(live_one)


@pytest.mark.filterwarnings("ignore:No application metrics")  # a crash comes before them
def test_a_crash_of_the_function_is_undone_like_any_failure(live_one: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    live_one.register(2)
    monkeypatch.setattr("lambdas.deploy.handler.smoke_test", _crash)
    walk = walked(approval(2))
    assert walk.error == "ZeroDivisionError"
    assert_only_version_one_is_left(live_one)


@pytest.mark.filterwarnings("ignore:No application metrics")  # a crash comes before them
def test_a_clean_up_that_breaks_is_told_to_people(live_one: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    live_one.register(2)
    live_one.endings = ["rolled_back"]
    monkeypatch.setattr("lambdas.deploy.handler.undo", _crash)
    walk = walked(approval(2))
    assert walk.messages[0][0] == "Scones: deployment failed, clean-up broke"
    assert walk.error == "ZeroDivisionError"
    assert live_one.live["EndpointConfigName"] == config_of(1)


def _quick() -> Any:
    from botocore.config import Config

    return Config(retries={"mode": "standard", "total_max_attempts": 1})


def _crash(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")
