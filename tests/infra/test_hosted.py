"""An endpoint that is switched on again has what it had: its configuration, its monitor, its growth."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_walker import approval, walked
from fake_aws import ENDPOINT, FakeAws
from lambda_support import CONTEXT

from infra import hosted
from lambdas.deploy.handler import handler as deploy
from lambdas.monitor.handler import handler as monitor
from project import aws as cloud
from project.errors import CloudError
from project.names import Names
from project.settings import Settings

NAMES = Names(Settings(project=ENDPOINT))


@pytest.fixture
def off(live_one: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """Version 2 was live on up to six instances; the endpoint is off, and with it its registration is gone."""
    monkeypatch.setenv("MAX_INSTANCES", "6")
    live_one.register(2)
    walked(approval(2))
    cloud.client.cache_clear()
    monkeypatch.setattr(hosted, "wait_until_done", lambda what: range(100))
    monkeypatch.setattr(cloud, "ask_function", lambda name, what, event: deploy(event, CONTEXT))
    hosted.stop(NAMES, print, asked)
    live_one.scalable.clear()
    return live_one


def asked(action: str) -> dict[str, Any]:
    """What function Monitor answers."""
    return dict(monitor({"action": action}, CONTEXT))


def test_it_grows_as_before(off: FakeAws) -> None:
    said: list[str] = []
    assert hosted.start(NAMES, said.append, asked)
    assert said[-1] == "It grows to 6 instances."
    assert list(off.scalable) == [f"endpoint/{ENDPOINT}/variant/AllTraffic"]


def test_a_refusal_is_told_and_leaves_it_on(off: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FakeAws, "op_register_scalable_target")
    with pytest.raises(CloudError, match="is on, and its instance count does not follow"):
        hosted.start(NAMES, print, asked)
    assert off.live["EndpointStatus"] == "InService"
