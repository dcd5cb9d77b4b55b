"""How an endpoint goes from one configuration to the next: no request is lost, and a canary gets its share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cloud_fixtures import eventually
from endpoint_support import ANSWERS, SLOW, Clients, Load, baking, canary
from job_support import ServingModel

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.hosting import EndpointHosting

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_no_request_fails_while_the_endpoint_is_updated_under_load(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    one = endpoints.config(serving_model(ANSWERS.format(word="one")))
    two = endpoints.config(serving_model(ANSWERS.format(word="two")))
    name = endpoints.serve(one)
    load = Load(lambda: endpoints.invoke(name), threads=4)
    with load.running():
        for config in (two, one):
            load.more(50)
            endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
            assert endpoints.settled(name)["EndpointConfigName"] == config
        load.more(50)
    assert not load.errors
    assert set(load.answers) == {b"one", b"two"}
    assert load.answers[-40:].count(b"one") == 40


def test_a_request_that_is_under_way_is_finished_by_the_fleet_that_is_replaced(
    endpoints: Clients, tmp_path: Any, serving_model: ServingModel
) -> None:
    name = endpoints.serve(endpoints.config(serving_model(SLOW)))
    go = tmp_path / "go"
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(endpoints.invoke, name, str(go).encode())
        new = endpoints.config(serving_model(ANSWERS.format(word="new")))
        endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        eventually(lambda: endpoints.invoke(name, str(tmp_path).encode()) == b"new")
        assert not under_way.done()
        go.touch()
        assert under_way.result() == b"done"
    assert endpoints.settled(name)["EndpointConfigName"] == new


def test_a_canary_gets_its_share(endpoints: Clients, cloud: Cloud, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(ANSWERS.format(word="blue"))))
    green = endpoints.config(serving_model(ANSWERS.format(word="green")))
    update = {"EndpointName": name, "EndpointConfigName": green}
    endpoints.sagemaker.update_endpoint(**update, DeploymentConfig=canary(3600, share=50))
    summary = baking(endpoints, name)
    assert summary["EndpointConfigName"] == green
    status = summary["ProductionVariants"][0]["VariantStatus"][0]
    assert status["StatusMessage"].startswith("Baking for 3600 seconds (WaitIntervalInSeconds) with traffic enabled on")
    hosted = cloud.shared(EndpointHosting).find(name)
    assert hosted is not None
    hosted.traffic.chance.seed(3)
    answers = [endpoints.invoke(name) for _ in range(60)]
    assert 15 <= answers.count(b"green") <= 45


def test_after_the_last_step_everything_goes_to_the_new_fleet(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(ANSWERS.format(word="blue"))))
    green = endpoints.config(serving_model(ANSWERS.format(word="green")))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=green, DeploymentConfig=canary(0))
    found = endpoints.settled(name)
    assert found["EndpointConfigName"] == green
    assert found["LastDeploymentConfig"] == canary(0)
    assert {endpoints.invoke(name) for _ in range(10)} == {b"green"}
