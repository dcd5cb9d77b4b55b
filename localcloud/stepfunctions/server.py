"""The HTTP server: JSON 1.0 operations on `POST /`, health on `GET /ping`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from localcloud.door import Application, guarded
from localcloud.service.endpoint import JsonProtocol, routes
from localcloud.stepfunctions import lifecycle, operations
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.overrides import clients
from localcloud.stepfunctions.engine.run import own_fault
from localcloud.stepfunctions.operations.activities import open_queues
from localcloud.stepfunctions.protocol import TARGET_PREFIX

PROTOCOL = JsonProtocol(TARGET_PREFIX, "1.0", own_fault, logging.getLogger("localcloud.stepfunctions"))
REQUESTS_AT_ONCE = 256
"""Workers of activities and callers of StartSyncExecution each hold a thread while they wait."""


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

    return guarded(Starlette(routes=routes(PROTOCOL, partial(operations.call, cloud)), lifespan=lifespan))
