"""The HTTP server: JSON 1.0 operations on `POST /`, health on `GET /ping`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.door import Application, guarded
from localcloud.stepfunctions import lifecycle, operations
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.overrides import clients
from localcloud.stepfunctions.engine.run import own_fault
from localcloud.stepfunctions.operations.activities import open_queues
from localcloud.stepfunctions.protocol import TARGET_PREFIX, ServiceError, strict_json

log = logging.getLogger("localcloud.stepfunctions")
REQUESTS_AT_ONCE = 256
"""Workers of activities and callers of StartSyncExecution each hold a thread while they wait."""
JSON = "application/x-amz-json-1.0"


def application(cloud: StatesCloud) -> Application:
    """The ASGI application that serves one local account, behind the door."""
    operations.load()
    overrides.apply()
    clients.use(cloud.clients)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = REQUESTS_AT_ONCE
        await run_in_threadpool(lifecycle.recover, cloud)
        await run_in_threadpool(open_queues, cloud)
        yield
        lifecycle.shut_down(cloud)

    async def api(request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        try:
            if not target.startswith(TARGET_PREFIX):
                raise ServiceError("UnknownOperationException", f"X-Amz-Target is {target!r}.", 404)
            body = _parsed(await request.body())
            return _answer(await run_in_threadpool(operations.call, cloud, target.removeprefix(TARGET_PREFIX), body))
        except ServiceError as error:
            return _refusal(error)
        except Exception as error:
            log.exception("%s failed", target)
            return _refusal(ServiceError("InternalFailure", f"{target}: {own_fault(error)}.", 500))

    async def ping(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route("/", api, methods=["POST"]), Route("/ping", ping, methods=["GET"])]
    return guarded(Starlette(routes=routes, lifespan=lifespan))


def _parsed(body: bytes) -> Any:
    try:
        return strict_json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request is not JSON: {error}.") from None


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"x-amzn-requestid": str(uuid.uuid4())}, media_type=JSON)


def _refusal(error: ServiceError) -> Response:
    return JSONResponse(
        {"__type": error.code, "message": error.message},
        status_code=error.status,
        headers={"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error.code},
        media_type=JSON,
    )
