"""The HTTP server: JSON 1.1 operations on `POST /`, invocations of endpoints, health on `GET /ping`."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from localcloud.door import Application, guarded
from localcloud.regions import Regions, kept
from localcloud.sagemaker import operations, runtime
from localcloud.sagemaker.cloud import DATABASE, Cloud
from localcloud.sagemaker.endpoints import recovery as endpoints
from localcloud.sagemaker.engine import recovery as executions
from localcloud.sagemaker.errors import own_fault
from localcloud.sagemaker.events.dispatcher import Dispatcher
from localcloud.sagemaker.jobs import lifecycle as jobs
from localcloud.sagemaker.monitoring.scheduler import Scheduler
from localcloud.sagemaker.roles import check_call
from localcloud.sagemaker.tuning import search as searches
from localcloud.service.endpoint import JsonProtocol, account_of, routes

PROTOCOL = JsonProtocol("SageMaker.", "1.1", own_fault, logging.getLogger("localcloud.sagemaker"))


def shut_down(cloud: Cloud) -> None:
    """End every thread and process that works for a resource; the records stay, for the next server."""
    cloud.stopping.set()
    searches.shut_down(cloud)
    executions.shut_down(cloud)
    jobs.shut_down(cloud)
    endpoints.shut_down(cloud)


class RegionWork:
    """What works in one region beside the requests, from the region's beginning to the server's end."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._dispatcher = Dispatcher(cloud)
        self._scheduler = Scheduler(cloud)

    def begin(self) -> None:
        """Go on with what an earlier server left."""
        self.cloud.prepare()
        self._dispatcher.start()
        for part in (jobs, executions, searches, endpoints):
            part.recover(self.cloud)
        self._scheduler.start()

    def end(self) -> None:
        """End everything; the records stay."""
        self.cloud.stopping.set()  # so that the scheduler, which must start no job any more, ends first
        self._scheduler.close()
        shut_down(self.cloud)
        self._dispatcher.close()
        self.cloud.store.close()


def application(home: Cloud) -> Application:
    """The ASGI application that serves one local account in every region, behind the door.

    `home` is the account in the region of requests that are not signed; others begin when they are first asked for, or
    with the server when something is kept of them.
    """
    operations.load()
    regions = Regions(
        lambda region: RegionWork(home if region == home.region else home.beside(region)), lambda work: work.begin()
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for region in dict.fromkeys((home.region, *kept(home.state, DATABASE))):
            await run_in_threadpool(regions.get, region)
        yield
        ends = [threading.Thread(target=work.end, name=f"end of {work.cloud.region}") for work in regions.every()]
        for end in ends:
            end.start()
        for end in ends:
            await run_in_threadpool(end.join)

    async def cloud_of(request: Request) -> Cloud:
        return (await account_of(request, regions, home.region)).cloud

    async def check(request: Request, cloud: Cloud, operation: str, body: Any) -> None:
        caller = request.headers.get("authorization", "")
        await run_in_threadpool(check_call, cloud.roles, cloud.arn(""), caller, operation, body)

    api = routes(PROTOCOL, cloud_of, Cloud.call, check if home.roles else None)
    invocations = Route(runtime.PATH, runtime.invocations(cloud_of), methods=["POST"])
    refused = [Route(path, runtime.refuse, methods=["POST"]) for path in runtime.REFUSED]
    return guarded(Starlette(routes=[invocations, *refused, *api], lifespan=lifespan))
