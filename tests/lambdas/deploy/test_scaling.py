"""An endpoint that grows: what a deployment registers, what an update keeps, what turning it off ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from deploy_walker import approval, walked
from fake_aws import ENDPOINT, FakeAws
from lambda_support import LIVE_PARAMETER

RESOURCE = f"endpoint/{ENDPOINT}/variant/AllTraffic"
Update = dict[str, object]


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the function's environment for an endpoint that grows."""

    def turn(maximum: int, **more: str) -> None:
        monkeypatch.setenv("MAX_INSTANCES", str(maximum))
        for name, value in more.items():
            monkeypatch.setenv(name, value)

    return turn


def updates(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> list[Update]:
    """What the endpoint will be updated with, from now on."""
    seen: list[Update] = []
    update = fake.op_update_endpoint

    def noted(params: Update) -> Update:
        seen.append(params)
        return update(params)

    monkeypatch.setattr(fake, "op_update_endpoint", noted, raising=False)
    return seen


def test_nothing_is_registered_unless_somebody_asks(live_one: FakeAws) -> None:
    live_one.register(2)
    assert walked(approval(2)).path[-1] == "Deployed"
    assert live_one.scalable == {}
    assert not any("Scal" in call for call in live_one.calls)


def test_a_deployment_registers_the_variant_with_what_the_settings_say(
    live_one: FakeAws, scaling: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling(6, INSTANCE_COUNT="2", TARGET_INVOCATIONS="900", SCALE_IN_SECONDS="600")
    seen = updates(live_one, monkeypatch)
    live_one.register(2)
    walk = walked(approval(2))
    assert walk.path[-1] == "Deployed"
    registered = live_one.scalable[RESOURCE]
    assert (registered["MinCapacity"], registered["MaxCapacity"]) == (2, 6)
    policy = registered["policy"]["TargetTrackingScalingPolicyConfiguration"]
    assert (policy["TargetValue"], policy["ScaleInCooldown"]) == (900.0, 600)
    assert "It grows to 6 instances." in str(walk.messages)
    assert [one["RetainAllVariantProperties"] for one in seen] == [True]


def test_an_update_to_another_instance_type_ends_the_registration_first_and_makes_it_again(
    live_one: FakeAws, scaling: Callable[..., None]
) -> None:
    scaling(6)
    live_one.register(2)
    walked(approval(2))
    scaling(6, INSTANCE_TYPE="ml.c6i.large")
    assert walked(approval(2)).path[-1] == "Deployed"
    assert RESOURCE in live_one.scalable
    assert "DeregisterScalableTarget" in live_one.calls


def test_turning_it_off_ends_the_registration_and_gives_the_configured_count_back(
    live_one: FakeAws, scaling: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling(6)
    live_one.register(2)
    walked(approval(2))
    assert json.loads(live_one.parameters[LIVE_PARAMETER])["max_instances"] == 6
    scaling(0)
    seen = updates(live_one, monkeypatch)
    assert walked(approval(2)).path[-1] == "Deployed"
    assert live_one.scalable == {}
    assert [one["RetainAllVariantProperties"] for one in seen] == [False]
    assert "max_instances" not in json.loads(live_one.parameters[LIVE_PARAMETER])


def test_a_rollback_keeps_the_instances_that_scaling_came_to(
    live_one: FakeAws, scaling: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling(6)
    seen = updates(live_one, monkeypatch)
    live_one.register(2)
    live_one.answers = [(200, {"Content-Type": "application/json"}, b"[]")] * 8  # the smoke test fails
    walked(approval(2))
    assert [one["RetainAllVariantProperties"] for one in seen] == [True, True]


def test_a_model_that_serves_stays_live_when_its_instance_count_may_not_follow(
    live_one: FakeAws, scaling: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling(6)
    monkeypatch.delattr(FakeAws, "op_register_scalable_target")
    live_one.register(2)
    walk = walked(approval(2))
    assert walk.path[-1] == "Deployed"
    assert "Its instance count does not follow: registering" in str(walk.messages)


def test_an_update_to_another_instance_type_that_fails_leaves_the_old_fleet_growing(
    live_one: FakeAws, scaling: Callable[..., None]
) -> None:
    scaling(6)
    live_one.register(2)
    walked(approval(2))
    scaling(6, INSTANCE_TYPE="ml.c6i.large")
    live_one.endings = ["rolled_back"]
    assert walked(approval(2)).error == "RolledBack"
    assert "DeregisterScalableTarget" in live_one.calls
    assert RESOURCE in live_one.scalable


def test_another_target_is_taken_over_by_approving_the_live_version_again(
    live_one: FakeAws, scaling: Callable[..., None]
) -> None:
    scaling(6)
    live_one.register(2)
    walked(approval(2))
    scaling(6, TARGET_INVOCATIONS="900")
    assert walked(approval(2)).path[-1] == "Deployed"
    policy = live_one.scalable[RESOURCE]["policy"]["TargetTrackingScalingPolicyConfiguration"]
    assert policy["TargetValue"] == 900.0
