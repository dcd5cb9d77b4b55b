"""An inference pipeline: one address in front of the serving programs of a model's containers.

"Inference pipelines" in the developer guide: the first container gets the client's request, every other the answer of
the one before it as its request, and the client gets the answer of the last. An answer's Content-Type goes with it;
what the client accepts concerns the last. A container that does not answer 200 ends the request with its answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

from localcloud.environment import HOST

ANSWER_SECONDS = 3_600.0
"""Whoever asks limits the time; AWS's longest is that of a transform job's record."""
PING_SECONDS = 2.0
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive", "date", "server"}
_CONNECTIONS = 64


@contextmanager
def run_chain(urls: Sequence[str]) -> Iterator[str]:
    """The address, without a trailing slash, at which the programs at `urls` answer as one during the block."""
    pool = urllib3.PoolManager(maxsize=_CONNECTIONS)
    server = ThreadingHTTPServer((HOST, 0), _handler(list(urls), pool))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="inference pipeline", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        pool.clear()


def _handler(urls: list[str], pool: urllib3.PoolManager) -> type[BaseHTTPRequestHandler]:
    class Chain(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """All programs must be healthy; parameters of the execution are the first one's."""
            asked = urls if self.path == "/ping" else urls[:1]
            answers = [self._ask("GET", url, b"", {}, PING_SECONDS) for url in asked]
            self._answer(next((one for one in answers if one.status != 200), answers[-1]))

        def do_POST(self) -> None:
            """Hand the request through all programs."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            accept = {name: value for name, value in headers.items() if name.lower() == "accept"}
            headers = {name: value for name, value in headers.items() if name not in accept}
            for url in urls:
                last = accept if url == urls[-1] else {}
                answer = self._ask("POST", url, body, {**headers, **last}, ANSWER_SECONDS)
                if answer.status != 200:
                    break
                body = answer.data
                kind = answer.headers.get("Content-Type")
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
                headers |= {"Content-Type": kind} if kind else {}
            self._answer(answer)

        def log_message(self, format: str, *words: object) -> None:
            """The programs have logs of their own."""

        def _ask(
            self, method: str, url: str, body: bytes, headers: dict[str, str], seconds: float
        ) -> urllib3.BaseHTTPResponse:
            try:
                return pool.request(
                    method, f"{url}{self.path}", body=body, headers=headers, timeout=seconds, retries=False
                )
            except urllib3.exceptions.HTTPError as error:
                return urllib3.HTTPResponse(f"a container did not answer: {error}".encode(), status=502)

        def _answer(self, answer: urllib3.BaseHTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

    return Chain
