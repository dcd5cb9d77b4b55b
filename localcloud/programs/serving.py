"""The HTTP side of a model container: GET /ping, POST /invocations, GET /execution-parameters.

Source: SageMaker developer guide, "Use your own inference code with hosting services" and "… with batch transform".
A program hands over a function that loads the model and gives its prediction function. The server listens only once
the model is loaded, so a connection that is refused means "not yet" and a model that cannot be loaded ends the
process. Predictions run in worker threads, so /ping answers while they do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.door import guarded
from localcloud.errors import LocalCloudError, SettingError
from localcloud.request_body import BodyTooLongError, read_body

# Response body, its content type and, where the model has something to say beside it, further headers.
Answer = tuple[bytes, str] | tuple[bytes, str, Mapping[str, str]]
# (body, content type, accept) to an answer. Called from several threads at once.
Predict = Callable[[bytes, str, str], Answer]

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
        loop="auto",
        http="auto",  # httptools and uvloop, or what is pure Python in an interpreter of the user's
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


def application(predict: Predict, limits: Limits) -> Starlette:
    """The ASGI application around a loaded model."""
    pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="predict")
    taken = 0

    def release(finished: asyncio.Future[Answer]) -> None:
        nonlocal taken
        taken -= 1
        if not finished.cancelled():
            finished.exception()  # after a time-out nobody else asks, and asyncio would complain

    async def predict_in_thread(request: Request) -> Answer:
        nonlocal taken
        async with asyncio.timeout(limits.seconds):
            body = await read_body(request, limits.body_bytes)
        if taken >= limits.workers + limits.waiting:
            raise RequestError(503, f"{taken} requests are waiting already; try again later.")
        taken += 1
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        running = asyncio.get_running_loop().run_in_executor(
            pool, predict, body, content_type, request.headers.get("accept", "")
        )
        running.add_done_callback(release)  # a thread cannot be stopped: its place is taken until it ends
        async with asyncio.timeout(limits.seconds):
            return await asyncio.shield(running)

    async def invocations(request: Request) -> Response:
        try:
            answer = await predict_in_thread(request)
        except RequestError as error:
            return PlainTextResponse(error.message, error.status)
        except BodyTooLongError as error:
            message = f"The body has {error.size:,} bytes, and at most {limits.body_bytes:,} are taken."
            return PlainTextResponse(message, 413)
        except ClientDisconnect:
            return PlainTextResponse("The client closed the connection in the middle of the body.", 400)
        except TimeoutError:
            return PlainTextResponse(f"No answer within {limits.seconds:g} s.", 504)
        except Exception as error:  # the server's boundary: one bad request must not end it
            traceback.print_exc()
            return PlainTextResponse(f"{type(error).__name__}: {error}", 500)
        further = answer[2] if len(answer) == 3 else {}
        return Response(answer[0], headers={**further, "content-type": answer[1]})

    async def ping(request: Request) -> Response:
        return PlainTextResponse()

    async def execution_parameters(request: Request) -> Response:
        return JSONResponse(
            {  # what batch transform asks a container for when the request for the job does not say
                "MaxConcurrentTransforms": limits.workers,
                "BatchStrategy": "SINGLE_RECORD",
                "MaxPayloadInMB": limits.body_bytes // 1024 // 1024,
            }
        )

    return Starlette(
        routes=[
            Route("/ping", ping),
            Route("/invocations", invocations, methods=["POST"]),
            Route("/execution-parameters", execution_parameters),
        ]
    )


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
