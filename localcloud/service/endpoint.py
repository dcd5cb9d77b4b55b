"""AWS's JSON protocol over HTTP: operations on `POST /`, named by the header X-Amz-Target; health on `GET /ping`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.contract import strict_json
from localcloud.regions import Regions, UnknownRegionError, region_of
from localcloud.service.errors import ServiceError, disk_is_full

Account = TypeVar("Account")


@dataclass(frozen=True)
class JsonProtocol:
    """How one service speaks.

    Attributes:
        prefix: what stands before the operation's name in X-Amz-Target, the dot included.
        version: of the protocol: "1.0" or "1.1".
        fault: the reason of an answer that our own code failed to make.
        log: where such a failure is told whole.
    """

    prefix: str
    version: str
    fault: Callable[[Exception], str]
    log: logging.Logger


async def account_of(request: Request, regions: Regions[Account], default: str) -> Account:
    """The account in the region that a request is signed for; `default` is that of unsigned ones.

    Raises:
        ServiceError: InvalidSignatureException; that is no region.
    """
    try:
        region = region_of(request.headers, request.query_params, default)
    except UnknownRegionError as error:
        raise ServiceError("InvalidSignatureException", str(error), 403) from None
    begun = regions.begun(region)
    return begun if begun is not None else await run_in_threadpool(regions.get, region)


def routes(
    protocol: JsonProtocol,
    account: Callable[[Request], Awaitable[Account]],
    call: Callable[[Account, str, Any], dict[str, Any]],
    check: Callable[[Request, Account, str, Any], Awaitable[None]] | None = None,
) -> list[Route]:
    """The operations and the health.

    Args:
        account: whom a request is for.
        call: gets that, an operation's name and the request's body, in a thread of its own.
        check: gets the same and the request before that; whether the caller may ask it.
    """
    media_type = f"application/x-amz-json-{protocol.version}"

    def refusal(error: ServiceError) -> Response:
        return JSONResponse(
            {"__type": error.code, "message": error.message},
            status_code=error.status,
            headers={"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error.code},
            media_type=media_type,
        )

    async def api(request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        try:
            if not target.startswith(protocol.prefix):
                raise ServiceError("UnknownOperationException", f"X-Amz-Target is {target[:100]!r}.", 404)
            body = parsed(await request.body())
            whose = await account(request)
            operation = target.removeprefix(protocol.prefix)
            if check:
                await check(request, whose, operation, body)
            answer = await run_in_threadpool(call, whose, operation, body)
            return JSONResponse(answer, headers={"x-amzn-requestid": str(uuid.uuid4())}, media_type=media_type)
        except ServiceError as error:
            return refusal(error)
        except Exception as error:
            protocol.log.exception("%s failed", target)
            if disk_is_full(error):  # a server's fault would be tried again, for nothing
                return refusal(ServiceError("ResourceLimitExceeded", f"{target}: the disk is full: {error}."))
            return refusal(ServiceError("InternalFailure", f"{target}: {protocol.fault(error)}.", 500))

    async def ping(request: Request) -> Response:
        return PlainTextResponse("ok")

    return [Route("/", api, methods=["POST"]), Route("/ping", ping, methods=["GET"])]


def parsed(body: bytes) -> Any:
    """The JSON value of a request.

    Raises:
        ServiceError: SerializationException; it is none.
    """
    try:
        return strict_json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request is not JSON: {error}.") from None
