"""Fetching over a real HTTP server on loopback that misbehaves in every way a host has been seen to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from urllib3.util import Retry

from project.errors import DataError
from scones.cli.main import scones
from scones.data import fetch

BODY = bytes(range(256)) * 4000
ORIGINAL = fetch.Original("cifar-100-python.tar.gz", len(BODY), hashlib.sha256(BODY).hexdigest())
AT_ONCE = Retry(total=2, backoff_factor=0, status_forcelist=(500, 503), raise_on_status=False)

Answer = Callable[[BaseHTTPRequestHandler, int], None]


class Host:
    """A loopback server that answers its n-th request with `answer(request, n)`."""

    def __init__(self, answer: Answer) -> None:
        self.ranges: list[str | None] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.ranges.append(self.headers["Range"])
                answer(self, len(host.ranges) - 1)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Host]]:
    hosts: list[Host] = []

    def start(answer: Answer) -> Host:
        hosts.append(Host(answer))
        return hosts[-1]

    yield start
    for host in hosts:
        host.server.shutdown()
        host.server.server_close()


def send(request: BaseHTTPRequestHandler, body: bytes = BODY, upto: int | None = None, ranges: bool = True) -> None:
    """Answer as an honest host does; `upto` breaks the connection after that many bytes."""
    start = int((request.headers["Range"] or "bytes=0-")[6:-1]) if ranges else 0
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    request.send_header("Content-Length", str(len(body) - start))
    request.end_headers()
    request.wfile.write(body[start:][:upto])
    request.close_connection = True


def status(code: int) -> Answer:
    def answer(request: BaseHTTPRequestHandler, _: int) -> None:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def redirect(to: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler, _: int) -> None:
        request.send_response(302)
        request.send_header("Location", to + request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def fetched(tmp_path: Path, *hosts: Host) -> bytes:
    output = tmp_path / "a.tar.gz"
    fetch.fetch(ORIGINAL, output, [host.url for host in hosts], AT_ONCE)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]
    return output.read_bytes()


def refused(tmp_path: Path, *hosts: Host) -> str:
    with pytest.raises(DataError) as error:
        fetch.fetch(ORIGINAL, tmp_path / "a.tar.gz", [host.url for host in hosts], AT_ONCE)
    assert not (tmp_path / "a.tar.gz").exists()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_whole_archive_arrives(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, _: send(request))
    assert fetched(tmp_path, host) == BODY
    assert host.ranges == [None]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, n: send(request, upto=300_000 if n < 3 else None))
    assert fetched(tmp_path, host) == BODY
    whole = 300_000 - 300_000 % fetch.CHUNK
    assert host.ranges == [None, *(f"bytes={n * whole}-" for n in (1, 2, 3))]


def test_a_download_goes_on_where_the_last_command_was_stopped(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    (tmp_path / ".a.tar.gz.partial").write_bytes(BODY[:1000])
    host = serve(lambda request, _: send(request))
    assert fetched(tmp_path, host) == BODY
    assert host.ranges == ["bytes=1000-"]


def test_a_host_that_ignores_ranges_starts_over(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    (tmp_path / ".a.tar.gz.partial").write_bytes(b"x" * 1000)
    assert fetched(tmp_path, serve(lambda request, _: send(request, ranges=False))) == BODY


def test_more_than_the_whole_is_thrown_away(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    (tmp_path / ".a.tar.gz.partial").write_bytes(BODY + b"x")
    host = serve(lambda request, _: status(416)(request, 0) if request.headers["Range"] else send(request))
    assert fetched(tmp_path, host) == BODY


def test_a_busy_host_is_asked_again(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, n: status(503)(request, n) if n < 2 else send(request))
    assert fetched(tmp_path, host) == BODY


def test_the_second_host_is_tried_after_the_first(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    first, second = serve(status(404)), serve(lambda request, _: send(request))
    assert fetched(tmp_path, first, second) == BODY


def test_a_redirect_is_followed_and_the_checksum_decides(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    elsewhere = serve(lambda request, _: send(request))
    assert fetched(tmp_path, serve(redirect(elsewhere.url))) == BODY
    (tmp_path / "a.tar.gz").unlink()
    forged = serve(lambda request, _: send(request, BODY[::-1]))
    assert "has SHA-256" in refused(tmp_path, serve(redirect(forged.url)))


@pytest.mark.parametrize("code", [403, 404, 500])
def test_an_error_status_is_named(tmp_path: Path, serve: Callable[[Answer], Host], code: int) -> None:
    assert f"HTTP {code}" in refused(tmp_path, serve(status(code)))


def test_a_host_that_breaks_every_connection_is_given_up(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, _: send(request, upto=0))
    assert "20 times in a row" in refused(tmp_path, host)
    assert len(host.ranges) == fetch.BREAKS


def test_nobody_listening_is_one_line(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(status(404))
    host.server.shutdown()
    host.server.server_close()
    assert "cannot be reached" in refused(tmp_path, host)


def test_a_host_that_goes_silent_is_given_up(
    tmp_path: Path, serve: Callable[[Answer], Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT", (1.0, 0.05))
    finished = threading.Event()
    host = serve(lambda request, _: finished.wait(30) and None)
    try:
        assert "does not answer" in refused(tmp_path, host)
    finally:
        finished.set()


def test_wrong_content_is_deleted(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, _: send(request, BODY[:-1] + b"x"))
    assert "deleted" in refused(tmp_path, host)
    assert not any(tmp_path.iterdir())


def test_a_page_instead_of_the_archive_is_not_kept(tmp_path: Path, serve: Callable[[Answer], Host]) -> None:
    host = serve(lambda request, _: send(request, b"<html>please log in</html>"))
    assert "offers 26 bytes instead of 1024000" in refused(tmp_path, host)
    assert not any(tmp_path.iterdir())


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(BODY)
    fetch.fetch(ORIGINAL, tmp_path / "a.tar.gz", [])


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"mine")
    with pytest.raises(DataError, match="is not cifar-100-python"):
        fetch.fetch(ORIGINAL, tmp_path / "a.tar.gz", [])
    assert (tmp_path / "a.tar.gz").read_bytes() == b"mine"


def test_the_command_says_where_the_archive_is(
    tmp_path: Path, serve: Callable[[Answer], Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fetch.ORIGINALS, "python", ORIGINAL)
    monkeypatch.setattr(fetch, "HOSTS", (serve(lambda request, _: send(request)).url,))
    result = CliRunner().invoke(scones, ["data", "fetch", "--output", str(tmp_path / "a.tar.gz")])
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'a.tar.gz'}\n")
