"""What passes from container to container: "Inference pipelines" in the developer guide."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import urllib3

from localcloud import ports
from localcloud.sagemaker.jobs.inference_chain import run_chain


class Container(BaseHTTPRequestHandler):
    """Answers with the body and its own name; ends with 400 or is ill where the body says so."""

    name = ""
    ill = False
    seen: list[tuple[str, str | None, str | None, str | None]]

    def do_GET(self) -> None:
        self._answer(503 if self.ill else 200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = (self.headers.get(name) for name in ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes"))
        kind, accept, custom = told
        self.seen.append((self.name, kind, accept, custom))
        self._answer(400 if body == self.name.encode() else 200, body + b">" + self.name.encode())

    def log_message(self, format: str, *words: object) -> None:
        """Not in the tests' output."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"text/{self.name}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def container(
    name: str, seen: list[tuple[str, str | None, str | None, str | None]], ill: bool = False
) -> Iterator[str]:
    kind = type(name, (Container,), {"name": name, "seen": seen, "ill": ill})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(url: str, body: bytes) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "text/first", "Accept": "text/last", "X-Amzn-SageMaker-Custom-Attributes": "mine"}
    return urllib3.request("POST", f"{url}/invocations", body=body, headers=headers, retries=False)


def test_each_container_gets_what_the_one_before_answered() -> None:
    seen: list[tuple[str, str | None, str | None, str | None]] = []
    with ExitStack() as stack:
        urls = [stack.enter_context(container(name, seen)) for name in "abc"]
        url = stack.enter_context(run_chain(urls))
        answer = ask(url, b"x")
        assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"x>a>b>c", "text/c")
        assert seen == [
            ("a", "text/first", None, "mine"),
            ("b", "text/a", None, "mine"),
            ("c", "text/b", "text/last", "mine"),
        ]
        refused = ask(url, b"a")
        assert (refused.status, refused.data, refused.headers["Content-Type"]) == (400, b"a>a", "text/a")
        assert len(seen) == 4
        assert urllib3.request("GET", f"{url}/ping").status == 200


@pytest.mark.parametrize("gone", [False, True])
def test_the_chain_is_as_healthy_as_its_worst_container(gone: bool) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(container("a", []))
        second = f"http://127.0.0.1:{ports.free(1)[0]}" if gone else stack.enter_context(container("b", [], ill=True))
        url = stack.enter_context(run_chain([first, second]))
        assert urllib3.request("GET", f"{url}/ping").status == (502 if gone else 503)
        if gone:
            answer = ask(url, b"x")
            assert (answer.status, b"a container did not answer" in answer.data) == (502, True)
