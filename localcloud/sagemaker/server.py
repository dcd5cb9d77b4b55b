"""The HTTP server: JSON 1.1 operations on `POST /`, invocations of endpoints, health on `GET /ping`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.contract import strict_json
from localcloud.door import Application, guarded
from localcloud.sagemaker import operations, runtime
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import recovery as endpoints
from localcloud.sagemaker.engine import recovery as executions
from localcloud.sagemaker.errors import ServiceError, own_fault
from localcloud.sagemaker.events.dispatcher import Dispatcher
from localcloud.sagemaker.jobs import lifecycle as jobs
from localcloud.sagemaker.monitoring.scheduler import Scheduler
from localcloud.sagemaker.tuning import search as searches

log = logging.getLogger("localcloud.sagemaker")
TARGET_PREFIX = "SageMaker."


def shut_down(cloud: Cloud) -> None:
    """End every thread and process that works for a resource; the records stay, for the next server."""
    cloud.stopping.set()
    searches.shut_down(cloud)
    executions.shut_down(cloud)
    jobs.shut_down(cloud)
    endpoints.shut_down(cloud)


def application(cloud: Cloud) -> Application:
    """The ASGI application that serves one local account, behind the door."""
    operations.load()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        cloud.prepare()
        dispatcher = Dispatcher(cloud)
        dispatcher.start()
        await run_in_threadpool(jobs.recover, cloud)
        await run_in_threadpool(executions.recover, cloud)
        await run_in_threadpool(searches.recover, cloud)
        await run_in_threadpool(endpoints.recover, cloud)
        scheduler = Scheduler(cloud)
        scheduler.start()
        yield
        cloud.stopping.set()  # so that the scheduler, which must start no job any more, ends first
        await run_in_threadpool(scheduler.close)
        await run_in_threadpool(shut_down, cloud)
        await run_in_threadpool(dispatcher.close)
        cloud.store.close()

    async def api(request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        try:
            if not target.startswith(TARGET_PREFIX):
                raise ServiceError("UnknownOperationException", f"X-Amz-Target is {target!r}.", 404)
            body = _parsed(await request.body())
            return _answer(await run_in_threadpool(cloud.call, target.removeprefix(TARGET_PREFIX), body))
        except ServiceError as error:
            return _refusal(error)
        except Exception as error:
            log.exception("%s failed", target)
            return _refusal(ServiceError("InternalFailure", f"{target}: {own_fault(error)}.", 500))

    async def ping(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [
        Route(runtime.PATH, runtime.invocations(cloud), methods=["POST"]),
        Route("/", api, methods=["POST"]),
        Route("/ping", ping, methods=["GET"]),
    ]
    return guarded(Starlette(routes=routes, lifespan=lifespan))


def _parsed(body: bytes) -> Any:
    try:
        return strict_json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The request is not JSON: {error}.") from None


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"x-amzn-requestid": str(uuid.uuid4())}, media_type="application/x-amz-json-1.1")


def _refusal(error: ServiceError) -> Response:
    return JSONResponse(
        {"__type": error.code, "message": error.message},
        status_code=error.status,
        headers={"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error.code},
        media_type="application/x-amz-json-1.1",
    )
