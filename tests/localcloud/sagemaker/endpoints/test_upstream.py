"""HTTP to a serving process, against a server that answers as each test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from localcloud.sagemaker.endpoints.upstream import Answer, BrokenAnswerError, Connections, NotConnectedError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
Use = Callable[[Connections], Awaitable[Any]]


class Script:
    """The answers to successive requests, over all connections; None closes the connection instead."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                if answer == CLOSING:
                    break
            await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # the client has gone
        finally:
            writer.close()

    def run(self, use: Use) -> Any:
        async def work() -> Any:
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            async with server:
                return await use(Connections(server.sockets[0].getsockname()[1]))

        return asyncio.run(work())


async def post(connections: Connections, body: bytes = b"x", most: int = 100) -> Answer:
    return await connections.post("/invocations", [(b"Content-Type", b"image/png")], body, most)


async def twice(connections: Connections) -> list[Answer]:
    return [await post(connections), await post(connections)]


def test_a_request_is_http_and_its_connection_is_used_again() -> None:
    script = Script(OK, CHUNKED)
    first, second = script.run(twice)
    assert (first.status, first.body, first.headers[b"content-type"]) == (200, b"ok", b"text/plain")
    assert second.body == b"abcde"
    assert script.connections == 1
    head, _, body = script.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nContent-Length: 1\r\nContent-Type: image/png" in head
    assert body == b"x"


def test_a_connection_that_the_process_closes_after_its_answer_is_not_used_again() -> None:
    script = Script(CLOSING, OK)
    assert [answer.body for answer in script.run(twice)] == [b"ok", b"ok"]
    assert script.connections == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    script = Script(OK, None, OK)
    assert [answer.body for answer in script.run(twice)] == [b"ok", b"ok"]
    assert script.connections == 2


def test_a_new_connection_that_is_closed_without_an_answer_is_a_broken_answer() -> None:
    with pytest.raises(BrokenAnswerError, match="closed before the answer was complete"):
        Script(None).run(post)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + bytes(200), "more than 100 bytes"),
        (b"hello\r\n", "not HTTP"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(answer: bytes, words: str) -> None:
    with pytest.raises(BrokenAnswerError, match=words):
        Script(answer).run(post)


def test_a_large_body_arrives_whole() -> None:
    script = Script(OK)
    body = bytes(range(256)) * 20_000
    script.run(lambda connections: post(connections, body))
    assert script.requests[0].endswith(b"\r\n\r\n" + body)


def test_nobody_listening_is_told_apart() -> None:
    async def use() -> None:
        server = await asyncio.start_server(Script().serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await post(Connections(port))

    with pytest.raises(NotConnectedError):
        asyncio.run(use())


def test_a_request_that_is_given_up_takes_its_connection_with_it() -> None:
    async def use(connections: Connections) -> Answer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await post(connections)
        return await post(connections)

    script = Script(b"", OK)
    assert script.run(use).body == b"ok"
    assert script.connections == 2
