"""The HTTP server: JSON 1.0 operations on `POST /`, health on `GET /ping`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from localcloud.door import Application, guarded
from localcloud.environment import ROLES_CHECKED
from localcloud.regions import Regions, kept
from localcloud.service.endpoint import JsonProtocol, account_of, routes
from localcloud.stepfunctions import lifecycle, operations
from localcloud.stepfunctions.cloud import DATABASE, StatesCloud
from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.overrides import clients
from localcloud.stepfunctions.engine.run import own_fault
from localcloud.stepfunctions.map_runs import Keeper
from localcloud.stepfunctions.operations.activities import open_queues
from localcloud.stepfunctions.protocol import TARGET_PREFIX
from localcloud.stepfunctions.trust import check_trust

PROTOCOL = JsonProtocol(TARGET_PREFIX, "1.0", own_fault, logging.getLogger("localcloud.stepfunctions"))
REQUESTS_AT_ONCE = 256
"""Workers of activities and callers of StartSyncExecution each hold a thread while they wait."""


def application(home: StatesCloud) -> Application:
    """The ASGI application that serves one local account in every region, behind the door.

    `home` is the account in the region of requests that are not signed.
    """
    operations.load()
    overrides.apply()
    clients.use(home.clients)
    regions = Regions(lambda region: home if region == home.region else home.beside(region), _begin)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = REQUESTS_AT_ONCE
        for region in dict.fromkeys((home.region, *kept(home.state, DATABASE))):
            await run_in_threadpool(regions.get, region)
        yield
        for cloud in regions.every():
            lifecycle.shut_down(cloud)

    async def cloud_of(request: Request) -> StatesCloud:
        return await account_of(request, regions, home.region)

    async def check(request: Request, cloud: StatesCloud, operation: str, body: Any) -> None:
        if ROLES_CHECKED not in request.headers:
            await run_in_threadpool(check_trust, cloud, operation, body)

    api = routes(PROTOCOL, cloud_of, operations.call, check if home.clients.roles else None)
    return guarded(Starlette(routes=api, lifespan=lifespan))


def _begin(cloud: StatesCloud) -> None:
    cloud.keeper = Keeper
    lifecycle.recover(cloud)
    open_queues(cloud)
