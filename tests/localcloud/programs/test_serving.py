"""The HTTP shell of serving programs, over real sockets: routes, limits, time, load, and how it ends."""

import concurrent.futures
import json
import signal
import socket

import httpx
import pytest
from program_support import launch, running_server

# A model that does what the body says, so that each test can ask for what it needs.
PROGRAM = """
import sys, threading
from localcloud.programs.serving import Limits, RequestError, serve
from localcloud.errors import ArtifactError

started, released = threading.Event(), threading.Event()

def predict(body, content_type, accept):
    command = body.decode()
    if command == "wait":
        started.set()
        released.wait()
    elif command == "started":
        started.wait()
    elif command == "release":
        released.set()
    elif command == "fail":
        raise ZeroDivisionError("by accident")
    elif command == "refuse":
        raise RequestError(418, "no tea")
    return f"{len(body)} {content_type} {accept}".encode(), "text/plain"

def load():
    if "unloadable" in sys.argv:
        raise ArtifactError("Loading the model: it is not there.", "Train one.")
    return predict

limits = {"limits": eval(sys.argv[1])} if len(sys.argv) > 1 and sys.argv[1].startswith("Limits") else {}
sys.exit(serve(load, **limits))
"""


def test_ping_is_empty_and_200():
    with running_server("-c", PROGRAM) as server:
        answer = server.client.get("/ping")
    assert (answer.status_code, answer.content) == (200, b"")


def test_request_reaches_the_model_and_its_answer_comes_back():
    with running_server("-c", PROGRAM) as server:
        answer = server.invoke(b"hello", "Image/PNG; charset=x", Accept="application/json")
        assert (answer.status_code, answer.text) == (200, "5 image/png application/json")
        assert server.client.post("/invocations").text == "0  */*"  # no body and no type is the model's business


def test_a_web_page_is_refused_before_the_model_sees_anything():
    with running_server("-c", PROGRAM) as server:
        for headers in ({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "rebound.example"}):
            assert server.invoke(b"fail", **headers).status_code == 403


def test_server_lives_on_after_every_kind_of_error():
    with running_server("-c", PROGRAM) as server:
        crashed = server.invoke(b"fail")
        assert (crashed.status_code, crashed.text) == (500, "ZeroDivisionError: by accident")
        refused = server.invoke(b"refuse")
        assert (refused.status_code, refused.text) == (418, "no tea")
        assert server.client.get("/nowhere").status_code == 404
        assert server.client.get("/invocations").status_code == 405
        assert server.client.post("/ping").status_code == 405
        assert server.invoke(b"hello").status_code == 200


def test_limits_come_from_sagemakers_variables():
    settings = {"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}
    with running_server("-c", PROGRAM, **settings) as server:
        assert server.client.get("/execution-parameters").json() == {
            "MaxConcurrentTransforms": 3,
            "BatchStrategy": "SINGLE_RECORD",
            "MaxPayloadInMB": 1,
        }
        assert server.invoke(bytes(1024 * 1024)).status_code == 200
        too_long = server.invoke(bytes(1024 * 1024 + 1))
        assert (too_long.status_code, "1,048,577 bytes" in too_long.text) == (413, True)
        in_chunks = server.invoke(iter([bytes(700_000)] * 2))
        assert in_chunks.status_code == 413


def test_six_mebibytes_are_taken_by_default():
    with running_server("-c", PROGRAM) as server:
        assert server.invoke(bytes(6 * 1024 * 1024)).status_code == 200
        assert server.invoke(bytes(6 * 1024 * 1024 + 1)).status_code == 413


def test_full_queue_refuses_and_ping_still_answers():
    with (
        running_server("-c", PROGRAM, "Limits(workers=1, waiting=2)") as server,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        waiting = [pool.submit(server.invoke, b"wait") for _ in range(4)]
        finished, _ = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
        assert [request.result().status_code for request in finished] == [503]  # one works, two wait, one too many
        assert server.client.get("/ping").status_code == 200
        server.process.kill()


def test_request_that_takes_too_long_gets_504_and_its_place_back_when_it_ends():
    with running_server("-c", PROGRAM, "Limits(workers=2, waiting=0, seconds=0.2)") as server:
        late = server.invoke(b"wait")
        assert (late.status_code, late.text) == (504, "No answer within 0.2 s.")
        assert server.invoke(b"release").status_code == 200  # the second worker


def test_body_that_never_comes_gets_an_answer():
    with running_server("-c", PROGRAM, "Limits(seconds=0.2)") as server:
        with socket.create_connection((server.client.base_url.host, server.client.base_url.port), timeout=30) as slow:
            slow.sendall(_head(server, "Content-Length: 10") + b"half")
            assert slow.recv(100).startswith(b"HTTP/1.1 504")
        assert server.client.get("/ping").status_code == 200


def test_client_that_hangs_up_in_the_middle_harms_nobody():
    with running_server("-c", PROGRAM) as server:
        with socket.create_connection((server.client.base_url.host, server.client.base_url.port)) as rude:
            rude.sendall(_head(server, "Content-Length: 10") + b"half")
        assert server.invoke(b"hello").status_code == 200


def test_fifty_clients_at_once_all_get_their_own_answer():
    with running_server("-c", PROGRAM) as server, concurrent.futures.ThreadPoolExecutor(50) as pool:
        url = server.client.base_url.join("/invocations")
        with httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=50), timeout=60) as client:
            answers = list(pool.map(lambda size: client.post(url, content=bytes(size)), range(200)))
    assert [answer.status_code for answer in answers] == [200] * 200
    assert [int(answer.text.split()[0]) for answer in answers] == list(range(200))


def test_sigterm_finishes_what_is_running_and_takes_nothing_new():
    with running_server("-c", PROGRAM, "Limits(workers=2)") as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        host, port = server.client.base_url.host, server.client.base_url.port
        running = pool.submit(server.invoke, b"wait")
        with httpx.Client(base_url=server.client.base_url, trust_env=False) as other:
            assert other.post("/invocations", content=b"started").status_code == 200
        with socket.create_connection((host, port), timeout=30) as under_way:
            under_way.sendall(_head(server, "Content-Length: 7\r\nExpect: 100-continue"))
            assert under_way.recv(100).startswith(b"HTTP/1.1 100")  # the server is reading this request
            server.process.send_signal(signal.SIGTERM)
            while _accepts(host, port):
                assert server.process.poll() is None
            assert not running.done()
            under_way.sendall(b"release")
            assert under_way.recv(100).startswith(b"HTTP/1.1 200")
        assert running.result(timeout=30).status_code == 200
        assert server.process.wait(timeout=30) == 0


def _head(server, headers):
    url = server.client.base_url
    return f"POST /invocations HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n{headers}\r\n\r\n".encode()


def _accepts(host, port):
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def test_model_that_cannot_be_loaded_ends_the_process_before_it_listens():
    with launch("-c", PROGRAM, "unloadable") as server:
        output, errors = server.communicate(timeout=60)
    assert (server.returncode, output) == (1, "")
    assert errors == "Error: Loading the model: it is not there. Train one.\n"


def test_port_in_use_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with launch("-c", PROGRAM, SAGEMAKER_BIND_TO_PORT=port) as server:
            errors = server.communicate(timeout=60)[1]
    assert server.returncode == 1
    assert errors.startswith(f"Error: Listening on 127.0.0.1:{port}: Address already in use.")


@pytest.mark.parametrize("name", ["SAGEMAKER_BIND_TO_PORT", "SAGEMAKER_MODEL_SERVER_WORKERS"])
def test_setting_that_is_no_number_is_named(name):
    with launch("-c", PROGRAM, **{name: "many"}) as server:
        errors = server.communicate(timeout=60)[1]
    assert server.returncode == 1
    assert errors.splitlines() == [f"Error: {name} is 'many', and must be a positive number."]


def test_json_answer_of_execution_parameters_is_json():
    with running_server("-c", PROGRAM) as server:
        answer = server.client.get("/execution-parameters")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)["BatchStrategy"] == "SINGLE_RECORD"
