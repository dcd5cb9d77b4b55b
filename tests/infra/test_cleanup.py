"""What AWS refuses to list keeps nothing else from being found, and is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deploy_walker import walked
from fake_aws import ENDPOINT, FakeAws, Refused, arn

from infra import cleanup, stack
from project import aws as cloud
from project.names import Names
from project.settings import Settings

NAMES = Names(Settings(project=ENDPOINT), "000000000000")


@pytest.fixture
def live(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """Version 1 is live and watched by EventBridge Scheduler, in an account that Model Monitor is closed to.

    Of SageMaker the fake knows what the functions use: every list that they do not use is refused.
    """
    monkeypatch.setenv("SCHEDULER", "eventbridge")
    monkeypatch.setattr(stack, "status_of", lambda name: None)
    aws.register(1)
    walked({"model_package_arn": arn(1)})
    cloud.client.cache_clear()
    yield aws
    cloud.client.cache_clear()


def test_each_kind_is_looked_for_by_itself(live: FakeAws) -> None:
    found = cleanup.found(NAMES, data=False)
    kinds = [item.kind for item in found.items]
    assert kinds == ["schedule", "endpoint", "alarm"], "what starts jobs first, then what bills by the hour"
    refused = [one for one in found.unlisted if "listing monitoring schedules of project" in one]
    assert len(refused) == 1
    assert any("listing log groups" in one for one in found.unlisted)
    assert not any("listing endpoints" in one for one in found.unlisted)


def test_alarms_that_the_stack_does_not_know_are_found_and_no_others(live: FakeAws) -> None:
    config = live.live["EndpointConfigName"]
    for name in (
        f"{config}-errors",
        f"{ENDPOINT}-endpoint-5xx",
        f"{ENDPOINT}-v1-other",
        f"{ENDPOINT}-v2-monitor-missing",
    ):
        live.ring(name)
    found = {item.name for item in cleanup.found(NAMES, data=False).items if item.kind == "alarm"}
    assert found == {f"{config}-errors", f"{ENDPOINT}-monitor-missing"}


def test_models_that_pipeline_steps_leave_behind_are_found_by_their_role(
    live: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {
        "pipelines-abc-CreateModel-x": NAMES.pipeline_role,
        "pipelines-def-CreateModel-y": "arn:aws:iam::1:role/other",
    }
    for name, role in made.items():
        live.models[name] = {"ModelName": name, "ExecutionRoleArn": role, "CreationTime": 0, "ModelArn": arn(1)}

    def listed(params: dict[str, str]) -> dict[str, object]:
        part = params["NameContains"]
        return {
            "Models": [
                {"ModelName": name, "ModelArn": arn(1), "CreationTime": 0} for name in live.models if part in name
            ]
        }

    monkeypatch.setattr(live, "op_list_models", listed, raising=False)
    found = [item.name for item in cleanup.found(NAMES, data=False).items if item.kind == "model"]
    assert found == [
        live.configs[live.live["EndpointConfigName"]]["ProductionVariants"][0]["ModelName"],
        next(iter(made)),
    ]


def test_a_refusal_to_delete_is_raised_by_name(live: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise Refused("not yours", "AccessDeniedException")

    live.hooks["DeleteAlarms"] = refuse
    item = cleanup.Item("alarm", f"{ENDPOINT}-monitor-missing", "by the month")
    with pytest.raises(cleanup.CloudError, match="deleting alarm scones-unlimited-monitor-missing: AccessDenied"):
        cleanup.delete(NAMES, item, print)
