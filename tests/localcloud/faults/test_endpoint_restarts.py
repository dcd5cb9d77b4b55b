"""What the end of the server does to endpoints, and what its next start makes of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from endpoint_support import ENDS, PORT, clients_of, refused, served
from job_support import ServingModel
from schedule_support import Watched

from localcloud.processes import marked
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import records
from localcloud.sagemaker.endpoints.hosting import EndpointHosting
from localcloud.sagemaker.jobs.child import JOB_VARIABLE
from localcloud.sagemaker.server import shut_down

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_a_clean_restart_serves_what_was_in_service_and_gives_up_an_update(
    cloud: Cloud, serving_model: ServingModel
) -> None:
    with served(cloud) as url:
        clients = clients_of(url)
        name = clients.serve(live := clients.config(serving_model(PORT)))
        new = clients.config(serving_model("threading.Event().wait()"))
        failed = clients.create(clients.config(serving_model(ENDS)))
        clients.settled(failed)
        first = int(clients.invoke(name))
        clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        roots = [str(path) for path in (cloud.folder / "endpoints").glob("*/*/*")]
    assert [process for root in roots for process in marked(JOB_VARIABLE, root)] == []
    again = Cloud(cloud.state, cloud.aws_url, cloud.url, _clients=cloud._clients)
    with served(again) as url:
        clients = clients_of(url)
        found = clients.settled(name)
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", live)
        assert "restart" in found["FailureReason"]
        assert int(clients.invoke(name)) != first
        assert clients.settled(failed)["EndpointStatus"] == "Failed"
        why = clients.sagemaker.describe_endpoint(EndpointName=failed)["FailureReason"]
    once_more = Cloud(cloud.state, cloud.aws_url, cloud.url, _clients=cloud._clients)
    with served(once_more) as url:
        clients = clients_of(url)
        assert clients.settled(name)["FailureReason"] == found["FailureReason"], "it outlives further restarts"
        assert clients.settled(failed)["FailureReason"] == why


def test_while_the_model_is_started_again_after_a_restart_it_is_not_ready(
    cloud: Cloud, tmp_path: Any, serving_model: ServingModel
) -> None:
    hold = tmp_path / "hold"
    model = serving_model(f"import time\nwhile os.path.exists({str(hold)!r}):\n    time.sleep(0.01)\n{PORT}")
    with served(cloud) as url:
        name = clients_of(url).serve(clients_of(url).config(model))
    hold.touch()
    again = Cloud(cloud.state, cloud.aws_url, cloud.url, _clients=cloud._clients)
    with served(again) as url:
        clients = clients_of(url)
        assert clients.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "SystemUpdating"
        error = refused(clients.runtime.invoke_endpoint, EndpointName=name, Body=b"")
        assert error["Error"]["Code"] == "ModelNotReadyException"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
        hold.unlink()
        assert clients.settled(name)["EndpointStatus"] == "InService"
        clients.invoke(name)


def test_a_deletion_under_way_is_finished_before_the_server_ends(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud, begun = watched.cloud, threading.Event()
    flush = cloud.shared(EndpointHosting).capture.flush

    def held_up(endpoint: str | None = None) -> bool:
        begun.set()
        return cloud.stopping.wait(30) and flush(endpoint)

    monkeypatch.setattr(cloud.shared(EndpointHosting).capture, "flush", held_up)
    cloud.call("DeleteEndpoint", {"EndpointName": watched.endpoint})
    assert begun.wait(30)
    shut_down(cloud)
    assert cloud.store.find(records.KIND, watched.endpoint) is None
