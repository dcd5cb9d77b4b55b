"""What goes wrong with endpoints: models that do not start, crash or hang, failing updates, clients that misbehave."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from cloud_fixtures import eventually, gone
from endpoint_support import Clients, Load, capture, clients_of, refused, served, word_model
from job_support import Bucket, ServingModel, unique
from schedule_support import Watched

from localcloud.processes import marked
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import hosting, instance, invocation, records, traffic
from localcloud.sagemaker.jobs.child import BASE_VARIABLE
from localcloud.sagemaker.server import shut_down

ANSWERS = 'def answer(body, headers):\n    return 200, b"{word}"'
PID = "def answer(body, headers):\n    return 200, str(os.getpid()).encode()"
ENDS = 'sys.exit("Error: the weights are not readable.")'
SLOW = """
import time
def answer(body, headers):
    while not os.path.exists(body.decode()):
        time.sleep(0.01)
    return 200, b"done"
"""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(instance, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(instance, "LOOK_SECONDS", 0.02)
    return None


def failure(clients: Clients, config: str) -> str:
    found = clients.settled(clients.create(config))
    assert found["EndpointStatus"] == "Failed"
    assert "ProductionVariants" in found
    return str(found["FailureReason"])


def canary(wait: int, *alarms: str, share: int = 50) -> dict[str, Any]:
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": wait,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": share},
    }
    config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}
    return config


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
    other = endpoints.config(serving_model(PID))
    error = refused(endpoints.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=other)
    assert "it can only be deleted" in error["Error"]["Message"]
    assert "not found" in refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=b"")["Error"]["Message"]
    endpoints.delete(name)
    endpoints.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=other)
    assert endpoints.settled(name)["EndpointStatus"] == "InService"


def test_a_process_that_is_killed_is_replaced(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(PID)))
    first = int(endpoints.invoke(name))
    os.kill(first, signal.SIGKILL)
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
    name = endpoints.serve(endpoints.config(serving_model(PID), variant={"InitialInstanceCount": 2}))
    load = Load(lambda: endpoints.invoke(name), threads=1)
    with load.running():
        load.more(10)
    idle = int(load.answers[-1])  # nothing is under way: no answer can be lost with it
    os.kill(idle, signal.SIGKILL)
    eventually(lambda: gone(idle))  # until then it may take a request with it
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
        endpoints.config(serving_model(f'if os.path.exists({str(broken)!r}):\n    sys.exit("Error: broken.")\n{PID}'))
    )
    broken.touch()
    os.kill(int(endpoints.invoke(name)), signal.SIGKILL)
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
    monkeypatch.setattr("localcloud.sagemaker.jobs.serving.PING_SECONDS", 0.2)
    monkeypatch.setattr("localcloud.sagemaker.jobs.child.GRACE_SECONDS", 0.1)  # a stopped process ignores SIGTERM
    name = endpoints.serve(endpoints.config(serving_model(PID)))
    first = int(endpoints.invoke(name))
    os.kill(first, signal.SIGSTOP)
    eventually(lambda: endpoints.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 0)
    eventually(lambda: endpoints.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1)
    assert int(endpoints.invoke(name)) != first


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


def test_an_update_to_a_broken_model_keeps_what_is_live_and_says_why(
    endpoints: Clients, cloud: Cloud, serving_model: ServingModel
) -> None:
    name = endpoints.serve(live := endpoints.config(serving_model(PID)))
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
    assert len(list((cloud.state / "endpoints" / name).glob("*/*"))) == 1, "nothing of the new fleet is left"

    good = endpoints.config(serving_model(PID))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=good)
    found = endpoints.settled(name)
    assert found["EndpointConfigName"] == good
    assert "FailureReason" not in found


def test_a_canary_gets_its_share(endpoints: Clients, cloud: Cloud, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(ANSWERS.format(word="blue"))))
    green = endpoints.config(serving_model(ANSWERS.format(word="green")))
    update = {"EndpointName": name, "EndpointConfigName": green}
    endpoints.sagemaker.update_endpoint(**update, DeploymentConfig=canary(3600, share=50))
    summary = _baking(endpoints, name)
    assert summary["EndpointConfigName"] == green
    status = summary["ProductionVariants"][0]["VariantStatus"][0]
    assert status["StatusMessage"].startswith("Baking for 3600 seconds (WaitIntervalInSeconds) with traffic enabled on")
    hosted = cloud.hosting.find(name)
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
    )
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="INSUFFICIENT_DATA", StateReason="new")
    name = endpoints.serve(blue := endpoints.config(serving_model(ANSWERS.format(word="blue"))))
    green = endpoints.config(serving_model(ANSWERS.format(word="green")))
    load = Load(lambda: endpoints.invoke(name), threads=2)
    with load.running():
        endpoints.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=green,
            DeploymentConfig=canary(3600, alarm, unique("missing")),
        )
        _baking(endpoints, name)
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
    name = endpoints.serve(blue := endpoints.config(serving_model(PID)))
    old = int(endpoints.invoke(name))
    green = endpoints.config(serving_model(PID))
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=green, DeploymentConfig=canary(3600))
    _baking(endpoints, name)
    new = next(pid for pid in iter(lambda: int(endpoints.invoke(name)), None) if pid != old)
    os.kill(new, signal.SIGKILL)
    found = endpoints.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", blue)
    assert "failed while it was watched" in found["FailureReason"]
    assert int(endpoints.invoke(name)) == old


def _baking(clients: Clients, name: str) -> dict[str, Any]:
    """Wait until the new fleet bakes; the summary of the deployment."""

    def summary() -> dict[str, Any]:
        found = clients.sagemaker.describe_endpoint(EndpointName=name)
        return dict(found.get("PendingDeploymentSummary", {}))

    def baking() -> bool:
        variants = summary().get("ProductionVariants", [])
        return bool(variants) and variants[0]["VariantStatus"][0]["Status"] == "Baking"

    eventually(baking)
    return summary()


def test_a_full_queue_is_service_unavailable(
    endpoints: Clients, cloud: Cloud, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr(traffic, "MOST_IN_FLIGHT", 2)
    name = endpoints.serve(endpoints.config(serving_model(SLOW)))
    hosted = cloud.hosting.find(name)
    assert hosted is not None
    assert hosted.traffic.live is not None
    (only,) = hosted.traffic.live.instances["AllTraffic"]
    go = tmp_path / "go"
    with ThreadPoolExecutor(2) as threads:
        taken = [threads.submit(endpoints.invoke, name, str(go).encode()) for _ in range(2)]
        eventually(lambda: only.in_flight == 2)
        error = refused(endpoints.runtime.invoke_endpoint, EndpointName=name, Body=str(tmp_path).encode())
        go.touch()
        assert [one.result() for one in taken] == [b"done", b"done"]
    assert error["Error"]["Code"] == "ServiceUnavailable"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert endpoints.invoke(name, str(tmp_path).encode()) == b"done"


def test_a_model_that_takes_too_long_is_a_model_error_with_status_0(
    endpoints: Clients, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr(invocation, "ANSWER_SECONDS", 0.1)
    name = endpoints.serve(endpoints.config(serving_model(SLOW)))
    with pytest.raises(endpoints.runtime.exceptions.ModelError) as error:
        endpoints.invoke(name, str(tmp_path / "never").encode())
    assert error.value.response["OriginalStatusCode"] == 0
    assert error.value.response["OriginalMessage"].startswith("Your invocation timed out while waiting for a response")
    assert endpoints.invoke(name, str(tmp_path).encode()) == b"done"


def test_a_model_that_closes_the_connection_or_does_not_speak_http_is_a_model_error(
    endpoints: Clients, serving_model: ServingModel
) -> None:
    rude = """
    import socketserver
    class Rude(socketserver.StreamRequestHandler):
        def handle(self):
            head = self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            if head.startswith(b"GET"):
                self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
                return
            if self.server.said:
                self.wfile.write(b"hello\\r\\n\\r\\n")
            self.server.said = True
    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    server = socketserver.ThreadingTCPServer(address, Rude)
    server.said = False
    server.serve_forever()
    """
    name = endpoints.serve(endpoints.config(serving_model(rude)))
    for words in ("the connection was closed", "the answer is not HTTP"):
        with pytest.raises(endpoints.runtime.exceptions.ModelError, match=words) as error:
            endpoints.invoke(name)
        assert error.value.response["OriginalStatusCode"] == 0


def test_fifty_clients_at_once_all_get_their_own_answers(endpoints: Clients, bucket: Bucket) -> None:
    name = endpoints.serve(endpoints.config(word_model(endpoints.sagemaker, bucket, "word")))
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda length: json.loads(endpoints.invoke(name, bytes(length))), range(200)))
    assert answers == [["word", length] for length in range(200)]


def _connected(clients: Clients) -> socket.socket:
    address = urlsplit(clients.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def test_a_client_that_is_slow_holds_up_nobody_and_is_given_up(
    endpoints: Clients, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr("localcloud.sagemaker.runtime.BODY_SECONDS", 0.3)
    name = endpoints.serve(endpoints.config(serving_model("def answer(body, headers):\n    return 200, body")))
    with _connected(endpoints) as slow:
        slow.sendall(f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12".encode())
        assert endpoints.invoke(name, b"quick") == b"quick"
        answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")
    with _connected(endpoints) as gone:
        gone.sendall(f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12".encode())
    assert endpoints.invoke(name, b"quick") == b"quick"


def test_a_web_page_is_refused(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(PID)))
    with _connected(endpoints) as page:
        page.sendall(
            f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        assert page.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_capture_that_s3_does_not_take_never_fails_an_invocation(
    endpoints: Clients, cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    options = {**capture(bucket), "DestinationS3Uri": "s3://there-is-no-such-bucket-here/x"}
    name = endpoints.serve(endpoints.config(serving_model(PID), DataCaptureConfig=options))
    endpoints.invoke(name)
    assert not cloud.hosting.capture.flush(name)
    endpoints.invoke(name)
    cloud.s3.create_bucket(Bucket="there-is-no-such-bucket-here")
    assert cloud.hosting.capture.flush(name)
    listed = cloud.s3.list_objects_v2(Bucket="there-is-no-such-bucket-here", Prefix=f"x/{name}/")
    assert listed["KeyCount"] == 2


def test_a_clean_restart_serves_what_was_in_service_and_gives_up_an_update(
    cloud: Cloud, serving_model: ServingModel
) -> None:
    with served(cloud) as url:
        clients = clients_of(url)
        name = clients.serve(live := clients.config(serving_model(PID)))
        new = clients.config(serving_model("threading.Event().wait()"))
        failed = clients.create(clients.config(serving_model(ENDS)))
        clients.settled(failed)
        first = int(clients.invoke(name))
        clients.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
        bases = [str(path / "opt" / "ml") for path in (cloud.state / "endpoints").glob("*/*/*")]
    assert [process for base in bases for process in marked(BASE_VARIABLE, base)] == []
    again = Cloud(cloud.state, cloud.aws_url, cloud.url, _clients=cloud._clients)
    with served(again) as url:
        clients = clients_of(url)
        found = clients.settled(name)
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", live)
        assert "restart" in found["FailureReason"]
        assert int(clients.invoke(name)) != first
        assert clients.settled(failed)["EndpointStatus"] == "Failed"


def test_while_the_model_is_started_again_after_a_restart_it_is_not_ready(
    cloud: Cloud, tmp_path: Any, serving_model: ServingModel
) -> None:
    hold = tmp_path / "hold"
    model = serving_model(f"import time\nwhile os.path.exists({str(hold)!r}):\n    time.sleep(0.01)\n{PID}")
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


def test_a_server_that_fails_itself_leaves_the_endpoint_as_it_was(
    endpoints: Clients, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    name = endpoints.serve(live := endpoints.config(serving_model(PID)))
    new = endpoints.config(serving_model(PID))

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "pending", fails)
    endpoints.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    found = endpoints.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", live)
    assert found["FailureReason"].startswith("InternalServerError")
    endpoints.invoke(name)


def test_a_deletion_under_way_is_finished_before_the_server_ends(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud, begun = watched.cloud, threading.Event()
    flush = cloud.hosting.capture.flush

    def held_up(endpoint: str | None = None) -> bool:
        begun.set()
        return cloud.stopping.wait(30) and flush(endpoint)

    monkeypatch.setattr(cloud.hosting.capture, "flush", held_up)
    cloud.call("DeleteEndpoint", {"EndpointName": watched.endpoint})
    assert begun.wait(30)
    shut_down(cloud)
    assert cloud.store.find(records.KIND, watched.endpoint) is None
