"""The HTTP side of a model container: GET /ping, POST /invocations, GET /execution-parameters.

Source: SageMaker developer guide, "Use your own inference code with hosting services" and "… with batch transform".
A program hands over a function that loads the model and gives its prediction function. The server listens only once
the model is loaded, so a connection that is refused means "not yet" and a model that cannot be loaded ends the
process. Predictions run in worker threads, so /ping answers while they do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

import uvicorn

from localcloud.door import Application, Receive, Scope, Send, guarded
from localcloud.errors import LocalCloudError, SettingError

# (body, content type, accept) to (response body, its content type). Called from several threads at once.
Predict = Callable[[bytes, str, str], tuple[bytes, str]]

KEEP_ALIVE_SECONDS = 75  # longer than any client of ours keeps an idle connection
DRAIN_SECONDS = 25  # SageMaker sends SIGKILL 30 s after SIGTERM


class RequestError(Exception):
    """A request that gets an HTTP error status and a message instead of a prediction."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Limits:
    """What one server takes: threads, requests waiting beside those running, body size, and time for an answer."""

    workers: int = 1
    waiting: int = 128
    body_bytes: int = 6 * 1024 * 1024
    seconds: float = 60.0

    @classmethod
    def from_environment(cls) -> Limits:
        """The limits that SageMaker's variables ask for, and otherwise one worker for each processor."""
        processors = len(os.sched_getaffinity(0))
        return cls(
            workers=_setting("SAGEMAKER_MODEL_SERVER_WORKERS", processors),
            body_bytes=_setting("SAGEMAKER_MAX_PAYLOAD_IN_MB", 6) * 1024 * 1024,
            seconds=_setting("SAGEMAKER_MODEL_SERVER_TIMEOUT", 60),
        )


def serve(load: Callable[[], Predict], limits: Limits | None = None) -> int:
    """Load the model, then serve it on 127.0.0.1:$SAGEMAKER_BIND_TO_PORT (8080) until SIGTERM; gives the exit code.

    Port 0 takes a free one; the line `Listening on http://127.0.0.1:<port>` says which. After SIGTERM no connection is
    accepted and running requests are finished. 1 when the model cannot be loaded or the port is taken.
    """
    signal.signal(signal.SIGTERM, _exit_quietly)  # uvicorn raises the signal again when it has drained
    signal.signal(signal.SIGINT, _exit_quietly)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port = _setting("SAGEMAKER_BIND_TO_PORT", 8080, least=0)
        limits = limits or Limits.from_environment()
        listener.bind(("127.0.0.1", port))
        predict = load()
        listener.listen(2048)
    except LocalCloudError as error:
        return _give_up(str(error))
    except OSError as error:
        return _give_up(f"Listening on 127.0.0.1:{port}: {error.strerror}. Is another server using the port?")
    print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        guarded(application(predict, limits)),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def application(predict: Predict, limits: Limits) -> Application:
    """The ASGI application around a loaded model."""
    pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="predict")
    taken = 0

    def release(finished: asyncio.Future[tuple[bytes, str]]) -> None:
        nonlocal taken
        taken -= 1
        if not finished.cancelled():
            finished.exception()  # after a time-out nobody else asks, and asyncio would complain

    async def invoke(scope: Scope, receive: Receive) -> tuple[bytes, str]:
        nonlocal taken
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        async with asyncio.timeout(limits.seconds):
            body = await _read_body(receive, limits.body_bytes)
        if taken >= limits.workers + limits.waiting:
            raise RequestError(503, f"{taken} requests are waiting already; try again later.")
        taken += 1
        content_type = headers.get(b"content-type", "").split(";")[0].strip().lower()
        running = asyncio.get_running_loop().run_in_executor(
            pool, predict, body, content_type, headers.get(b"accept", "")
        )
        running.add_done_callback(release)  # a thread cannot be stopped: its place is taken until it ends
        async with asyncio.timeout(limits.seconds):
            return await asyncio.shield(running)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        route = (scope["method"], scope["path"])
        try:
            if route == ("GET", "/ping"):
                await _respond(send, 200, b"", "text/plain")
            elif route == ("POST", "/invocations"):
                await _respond(send, 200, *await invoke(scope, receive))
            elif route == ("GET", "/execution-parameters"):
                await _respond(send, 200, _execution_parameters(limits), "application/json")
            elif scope["path"] in ("/ping", "/invocations", "/execution-parameters"):
                raise RequestError(405, f"{scope['path']} does not take {scope['method']}.")
            else:
                raise RequestError(404, f"There is no {scope['path']}; use /ping or /invocations.")
        except RequestError as error:
            await _respond(send, error.status, error.message.encode(), "text/plain; charset=utf-8")
        except TimeoutError:
            message = f"No answer within {limits.seconds:g} s."
            await _respond(send, 504, message.encode(), "text/plain; charset=utf-8")
        except Exception as error:  # the server's boundary: one bad request must not end it
            traceback.print_exc()
            message = f"{type(error).__name__}: {error}"
            await _respond(send, 500, message.encode(), "text/plain; charset=utf-8")

    return app


async def _read_body(receive: Receive, most: int) -> bytes:
    """The request's body. One that is too long is read to its end, so that the client gets to see the answer."""
    chunks = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "The client closed the connection in the middle of the body.")
        chunk = message.get("body", b"")
        length += len(chunk)
        if length <= most:
            chunks.append(chunk)
        if not message.get("more_body"):
            break
    if length > most:
        raise RequestError(413, f"The body has {length:,} bytes, and at most {most:,} are taken.")
    return b"".join(chunks)


async def _respond(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _execution_parameters(limits: Limits) -> bytes:
    """What batch transform asks a container for when the request for the job does not say."""
    return json.dumps(
        {
            "MaxConcurrentTransforms": limits.workers,
            "BatchStrategy": "SINGLE_RECORD",
            "MaxPayloadInMB": limits.body_bytes // 1024 // 1024,
        }
    ).encode()


def _setting(name: str, default: int, least: int = 1) -> int:
    """The whole number in an environment variable. Raises SettingError when it is none, or below `least`."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise SettingError(f"{name} is {text!r}, and must be a positive number.")
    return int(text)


def _give_up(reason: str) -> int:
    sys.stderr.write(f"Error: {reason}\n")
    return 1


def _exit_quietly(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
