"""Models that do not start, and processes that die, hang or do not stay up."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from cloud_fixtures import eventually, gone
from endpoint_support import ENDS, PORT, Clients, Load, process_at, refused, word_model
from job_support import Bucket, ServingModel

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import hosting, instance

pytestmark = pytest.mark.usefixtures("no_pauses")


def failure(clients: Clients, config: str) -> str:
    found = clients.settled(clients.create(config))
    assert found["EndpointStatus"] == "Failed"
    assert "ProductionVariants" not in found  # it never came up
    return str(found["FailureReason"])


def test_a_model_that_does_not_start_fails_the_endpoint_with_its_own_words(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    reason = failure(endpoints, endpoints.config(serving_model(ENDS)))
    assert reason.startswith(
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert "Error: the weights are not readable." in reason


def test_a_model_that_never_answers_ping_fails_the_endpoint(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel
) -> None:
    config = endpoints.config(serving_model("threading.Event().wait()"))
    hosted_plan = cloud.store.find("EndpointConfig", config)
    assert hosted_plan is not None
    variants = [{**hosted_plan.body["ProductionVariants"][0], "ContainerStartupHealthCheckTimeoutInSeconds": 0.2}]
    cloud.store.update("EndpointConfig", config, {"ProductionVariants": variants})  # less than the API admits
    assert "/ping did not answer 200 within 0 s" in failure(endpoints, config)


def test_model_data_that_is_gone_or_no_archive_fails_the_endpoint(endpoints: Clients, bucket: Bucket) -> None:
    model = word_model(endpoints.sagemaker, bucket, "word")
    config = endpoints.config(model)
    key = f"{model}/model.tar.gz"
    bucket.put(key, b"not an archive")
    assert "cannot be used" in failure(endpoints, config)
    bucket.s3.delete_object(Bucket=bucket.name, Key=key)
    reason = failure(endpoints, config)
    assert reason.startswith("Failed to download model data")
    assert bucket.uri(key) in reason


def test_a_failed_endpoint_can_only_be_deleted(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.create(endpoints.config(serving_model(ENDS)))
    endpoints.settled(name)
    other = endpoints.config(serving_model(PORT))
    error = refused(endpoints.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=other)
    assert "it can only be deleted" in error["Error"]["Message"]
    assert "not found" in refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=b"")["Error"]["Message"]
    endpoints.delete(name)
    endpoints.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=other)
    assert endpoints.settled(name)["EndpointStatus"] == "InService"


def test_a_process_that_is_killed_is_replaced(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(PORT)))
    first = int(endpoints.invoke(name))
    os.kill(process_at(first), signal.SIGKILL)
    codes = set()

    def served_again() -> bool:
        error = refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=b"")
        codes.add(error.get("Error", {}).get("Code", ""))
        return not error

    eventually(served_again)
    assert codes <= {"", "ModelError", "ServiceUnavailable", "ModelNotReadyException"}
    assert int(endpoints.invoke(name)) != first
    assert endpoints.settled(name)["EndpointStatus"] == "InService"


def test_with_two_instances_no_request_fails_when_one_is_killed(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    name = endpoints.serve(endpoints.config(serving_model(PORT), variant={"InitialInstanceCount": 2}))
    load = Load(lambda: endpoints.invoke(name), threads=1)
    with load.running():
        load.more(10)
    idle = int(load.answers[-1])  # nothing is under way: no answer can be lost with it
    process = process_at(idle)
    os.kill(process, signal.SIGKILL)
    eventually(lambda: gone(process))  # until then it may take a request with it
    again = Load(lambda: endpoints.invoke(name), threads=2)
    with again.running():
        again.more(100)
    assert not again.errors
    assert str(idle).encode() not in again.answers


def test_an_endpoint_whose_process_does_not_stay_up_is_out_of_service_until_it_does(
    endpoints: Clients, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr(hosting, "FAILURES_TOLERATED", 2)
    broken = tmp_path / "broken"
    name = endpoints.serve(
        endpoints.config(serving_model(f'if os.path.exists({str(broken)!r}):\n    sys.exit("Error: broken.")\n{PORT}'))
    )
    broken.touch()
    os.kill(process_at(int(endpoints.invoke(name))), signal.SIGKILL)
    describe = endpoints.sagemaker.describe_endpoint
    eventually(lambda: describe(EndpointName=name)["EndpointStatus"] == "OutOfService")
    found = describe(EndpointName=name)
    assert "Error: broken." in found["FailureReason"]
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    code = refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=b"")["Error"]["Code"]
    assert code in {"ServiceUnavailable", "ModelNotReadyException"}
    broken.unlink()
    eventually(lambda: describe(EndpointName=name)["EndpointStatus"] == "InService")
    assert "FailureReason" not in describe(EndpointName=name)
    endpoints.invoke(name)


def test_a_process_that_hangs_is_replaced(
    endpoints: Clients, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr(instance, "PING_SECONDS", 0.01)
    monkeypatch.setattr("localcloud.sagemaker.jobs.model_server.PING_SECONDS", 0.2)
    monkeypatch.setattr("localcloud.sagemaker.jobs.child.GRACE_SECONDS", 0.1)  # a stopped process ignores SIGTERM
    name = endpoints.serve(endpoints.config(serving_model(PORT)))
    first = int(endpoints.invoke(name))
    os.kill(process_at(first), signal.SIGSTOP)
    eventually(lambda: endpoints.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 0)
    eventually(lambda: endpoints.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1)
    assert int(endpoints.invoke(name)) != first
