"""The HTTP server: JSON 1.1 operations on `POST /`, invocations of endpoints, health on `GET /ping`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from localcloud.door import Application, guarded
from localcloud.sagemaker import operations, runtime
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import recovery as endpoints
from localcloud.sagemaker.engine import recovery as executions
from localcloud.sagemaker.errors import own_fault
from localcloud.sagemaker.events.dispatcher import Dispatcher
from localcloud.sagemaker.jobs import lifecycle as jobs
from localcloud.sagemaker.monitoring.scheduler import Scheduler
from localcloud.sagemaker.tuning import search as searches
from localcloud.service.endpoint import JsonProtocol, routes

PROTOCOL = JsonProtocol("SageMaker.", "1.1", own_fault, logging.getLogger("localcloud.sagemaker"))


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

    invocations = Route(runtime.PATH, runtime.invocations(cloud), methods=["POST"])
    return guarded(Starlette(routes=[invocations, *routes(PROTOCOL, cloud.call)], lifespan=lifespan))
