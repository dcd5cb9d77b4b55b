"""Requests to endpoints that go wrong: too many, too slow, from the wrong place, or to a model that misbehaves."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from cloud_fixtures import eventually
from endpoint_support import PORT, SLOW, Clients, capture, refused, word_model
from job_support import Bucket, ServingModel

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import invocation, traffic
from localcloud.sagemaker.endpoints.hosting import EndpointHosting

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_a_full_queue_is_service_unavailable(
    endpoints: Clients, cloud: Cloud, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr(traffic, "MOST_IN_FLIGHT", 2)
    name = endpoints.serve(endpoints.config(serving_model(SLOW)))
    hosted = cloud.shared(EndpointHosting).find(name)
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


def _head(clients: Clients, name: str, headers: str) -> bytes:
    host = urlsplit(clients.url).netloc
    return f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n".encode()


def test_a_client_that_is_slow_holds_up_nobody_and_is_given_up(
    endpoints: Clients, monkeypatch: pytest.MonkeyPatch, serving_model: ServingModel
) -> None:
    monkeypatch.setattr("localcloud.sagemaker.runtime.BODY_SECONDS", 0.3)
    name = endpoints.serve(endpoints.config(serving_model("def answer(body, headers):\n    return 200, body")))
    with _connected(endpoints) as slow:
        slow.sendall(_head(endpoints, name, "Content-Length: 10") + b"12")
        assert endpoints.invoke(name, b"quick") == b"quick"
        answer = slow.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")
    with _connected(endpoints) as gone:
        gone.sendall(_head(endpoints, name, "Content-Length: 10") + b"12")
    assert endpoints.invoke(name, b"quick") == b"quick"


def test_a_web_page_is_refused_before_it_has_sent_its_body(endpoints: Clients, serving_model: ServingModel) -> None:
    name = endpoints.serve(endpoints.config(serving_model(PORT)))
    with _connected(endpoints) as page:
        page.sendall(_head(endpoints, name, "Origin: http://evil\r\nContent-Length: 10"))
        assert page.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_capture_that_s3_does_not_take_never_fails_an_invocation(
    endpoints: Clients, cloud: Cloud, bucket: Bucket, serving_model: ServingModel
) -> None:
    options = {**capture(bucket), "DestinationS3Uri": "s3://there-is-no-such-bucket-here/x"}
    name = endpoints.serve(endpoints.config(serving_model(PORT), DataCaptureConfig=options))
    endpoints.invoke(name)
    assert not cloud.shared(EndpointHosting).capture.flush(name)
    endpoints.invoke(name)
    cloud.s3.create_bucket(Bucket="there-is-no-such-bucket-here")
    assert cloud.shared(EndpointHosting).capture.flush(name)
    listed = cloud.s3.list_objects_v2(Bucket="there-is-no-such-bucket-here", Prefix=f"x/{name}/")
    assert listed["KeyCount"] == 2


def test_asynchronous_and_streaming_invocations_are_refused_by_name(endpoints: Clients) -> None:
    call = endpoints.runtime.invoke_endpoint_async
    error = refused(call, EndpointName="any", InputLocation="s3://bucket/key")["Error"]
    assert (error["Code"], "InvokeEndpointAsync" in error["Message"]) == ("ValidationError", True)
    stream = endpoints.runtime.invoke_endpoint_with_response_stream
    error = refused(stream, EndpointName="any", Body=b"")["Error"]
    assert (error["Code"], "InvokeEndpointWithResponseStream" in error["Message"]) == ("ValidationError", True)
