"""From an approval to a live endpoint, and back when something goes wrong: the definition and the handler together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deploy_walker import Walk, walked
from fake_aws import ENDPOINT, FakeAws, Refused, arn, probabilities, refusal
from lambda_support import LIVE_PARAMETER

from lambdas.deploy.plan import hosting, names, next_pause
from lambdas.deploy.switch import deployment_config


def approval(version: int, status: str = "Approved") -> dict[str, Any]:
    """The event as SageMaker sends it, as far as anybody reads it."""
    detail = {"ModelPackageArn": arn(version), "ModelApprovalStatus": status}
    return {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change", "detail": detail}


@pytest.fixture
def aws(function_environment: FakeAws) -> FakeAws:
    return function_environment


@pytest.fixture
def live_one(aws: FakeAws) -> FakeAws:
    """Version 1 is live."""
    aws.register(1)
    assert walked(approval(1)).error is None
    aws.invocations.clear()
    return aws


def config_of(version: int) -> str:
    return names(hosting(), arn(version))["config"]


def outcome(walk: Walk) -> str:
    return walk.error or walk.path[-1]


def assert_only_version_one_is_left(aws: FakeAws) -> None:
    assert aws.live["EndpointConfigName"] == config_of(1)
    assert aws.live["EndpointStatus"] == "InService"
    assert list(aws.configs) == [config_of(1)]
    assert len(aws.models) == 1
    assert json.loads(aws.parameters[LIVE_PARAMETER])["version"] == 1


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
    assert capture["CaptureContentTypeHeader"] == {"JsonContentTypes": ["application/json"]}
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


def test_rejecting_the_only_version_leaves_it_live(live_one: FakeAws) -> None:
    live_one.approve(1, "Rejected")
    assert outcome(walked(approval(1, "Rejected"))) == "NothingToDo"
    assert live_one.live["EndpointStatus"] == "InService"


def test_another_groups_event_is_nobodys_business_here(aws: FakeAws) -> None:
    other = "arn:aws:sagemaker:us-east-1:000000000000:model-package/somebody-else/3"
    assert outcome(walked({"detail": {"ModelPackageArn": other}})) == "NothingToDo"


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
    monkeypatch.setenv("ALARMS", "errors,latency")
    monkeypatch.setenv("BAKE_SECONDS", "300")
    config = deployment_config(hosting())
    routing = config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["WaitIntervalInSeconds"]) == (kind, 300)
    assert [alarm["AlarmName"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]] == ["errors", "latency"]


def test_without_alarms_no_rollback_is_promised(aws: FakeAws) -> None:
    assert "AutoRollbackConfiguration" not in deployment_config(hosting())


def _quick() -> Any:
    from botocore.config import Config

    return Config(retries={"mode": "standard", "total_max_attempts": 1})


def _crash(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")
