"""Updates of endpoints that fail: what was live stays live, and the endpoint says why."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from endpoint_support import ANSWERS, ENDS, PORT, Clients, Load, baking, canary, process_at
from job_support import ServingModel, unique

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import records

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_an_update_to_a_broken_model_keeps_what_is_live_and_says_why(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel
) -> None:
    name = endpoints.serve(live := endpoints.config(serving_model(PORT)))
    pid = endpoints.invoke(name)
    broken = endpoints.config(serving_model(ENDS))
    load = Load(lambda: endpoints.invoke(name), threads=2)
    with load.running():
        endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
        found = endpoints.settled(name)
        load.more(10)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", live)
    assert "Error: the weights are not readable." in found["FailureReason"]
    assert "PendingDeploymentSummary" not in found
    assert not load.errors
    assert set(load.answers) == {pid}
    assert len(list((cloud.folder / "endpoints" / name).glob("*/*"))) == 1, "nothing of the new fleet is left"

    good = endpoints.config(serving_model(PORT))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=good)
    found = endpoints.settled(name)
    assert found["EndpointConfigName"] == good
    assert "FailureReason" not in found


def test_an_alarm_while_baking_brings_the_old_fleet_back(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel
) -> None:
    alarm = unique("alarm")
    cloudwatch = cloud.aws("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName=unique("Metric"),
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",  # a state that is set by hand lasts, whenever the clock evaluates
    )
    name = endpoints.serve(blue := endpoints.config(serving_model(ANSWERS.format(word="blue"))))
    green = endpoints.config(serving_model(ANSWERS.format(word="green")))
    load = Load(lambda: endpoints.invoke(name), threads=2)
    with load.running():
        endpoints.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=green,
            DeploymentConfig=canary(3600, alarm, unique("missing")),
        )
        baking(endpoints, name)
        load.more(20)
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
        found = endpoints.settled(name)
        load.more(20)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", blue)
    assert found["FailureReason"] == f"Deployment rolled back: alarm(s) in state ALARM: {alarm}"
    assert not load.errors
    assert set(load.answers[-15:]) == {b"blue"}


def test_a_new_process_that_crashes_while_it_is_watched_brings_the_old_fleet_back(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    name = endpoints.serve(blue := endpoints.config(serving_model(PORT)))
    old = int(endpoints.invoke(name))
    green = endpoints.config(serving_model(PORT))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=green, DeploymentConfig=canary(3600))
    baking(endpoints, name)
    new = next(port for port in iter(lambda: int(endpoints.invoke(name)), None) if port != old)
    os.kill(process_at(new), signal.SIGKILL)
    found = endpoints.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", blue)
    assert "failed while it was watched" in found["FailureReason"]
    assert int(endpoints.invoke(name)) == old


def test_a_server_that_fails_itself_leaves_the_endpoint_as_it_was(
    endpoints: Clients, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    name = endpoints.serve(live := endpoints.config(serving_model(PORT)))
    new = endpoints.config(serving_model(PORT))

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "pending", fails)
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    found = endpoints.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", live)
    assert "disk of the local SageMaker is full: [Errno 28] No space left on device" in found["FailureReason"]
    endpoints.invoke(name)
