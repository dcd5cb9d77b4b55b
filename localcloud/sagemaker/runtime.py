"""The runtime's REST protocol: `POST /endpoints/{EndpointName}/invocations`, and what else it has is refused."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from functools import cache

import botocore.loaders
from botocore.model import ServiceModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from localcloud.request_body import BodyTooLongError, read_body
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.invocation import (
    CUSTOM_ATTRIBUTES,
    INFERENCE_ID,
    MOST_BYTES,
    TARGET_VARIANT,
    Invocation,
    ModelError,
    invoke,
)
from localcloud.sagemaker.errors import ServiceError, own_fault
from localcloud.sagemaker.roles import check_call

log = logging.getLogger(__name__)
PATH = "/endpoints/{name}/invocations"
REFUSED = {
    "/endpoints/{name}/async-invocations": "The local SageMaker does not do InvokeEndpointAsync; use InvokeEndpoint.",
    "/endpoints/{name}/invocations-response-stream": (
        "The local SageMaker does not do InvokeEndpointWithResponseStream; InvokeEndpoint gives the whole answer."
    ),
}
"""The paths of the runtime's other operations, and what they answer."""
BODY_SECONDS = 60.0
"""How long a client may take to send its body."""

NOT_DONE = ("target-model", "target-container-hostname", "inference-component", "enable-explanations", "session-id")
"""Headers that ask for what is not done here, without their prefix x-amzn-sagemaker-."""


def invocations(cloud_of: Callable[[Request], Awaitable[Cloud]]) -> Callable[[Request], Awaitable[Response]]:
    """The function behind the invocations path; `cloud_of` says which region a request is for."""

    async def answer(request: Request) -> Response:
        try:
            headers = dict(request.headers)
            body = await _body(request)
            _check(headers)
            cloud = await cloud_of(request)
            if cloud.roles:
                asked = {"EndpointName": request.path_params["name"]}
                caller = headers.get("authorization", "")
                await run_in_threadpool(check_call, cloud.roles, cloud.arn(""), caller, "InvokeEndpoint", asked)
            result = await invoke(cloud, Invocation(request.path_params["name"], headers, body))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except ServiceError as error:
            return _refusal(error)
        except Exception as error:
            log.exception("invocation of %s", request.url.path)
            return _refusal(ServiceError("InternalFailure", f"The invocation failed: {own_fault(error)}.", 500))
        return Response(result.body, headers=result.headers)

    return answer


async def refuse(request: Request) -> Response:
    """The answer to an operation that is not done here, in the runtime's error shape."""
    message = next(said for path, said in REFUSED.items() if request.url.path.endswith(path.rpartition("/")[2]))
    return _refusal(ServiceError("ValidationError", message))


async def _body(request: Request) -> bytes:
    """The request's body.

    Raises:
        ServiceError: it is too long, or did not come in time.
        ClientDisconnect: it did not come at all.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(request, MOST_BYTES)
    except TimeoutError:
        message = f"The request's body did not come within {BODY_SECONDS:.0f} s."
        raise ServiceError("RequestTimeout", message, 408) from None
    except BodyTooLongError:
        raise ServiceError("ValidationError", f"HTTP content length exceeded {MOST_BYTES} bytes.", 413) from None


def _check(headers: dict[str, str]) -> None:
    """Hold the request's headers against the runtime's service model.

    Raises:
        ServiceError: ValidationError.
    """
    for header, (member, least, most) in _limits().items():
        value = headers.get(header)
        if value is None:
            continue
        if not least <= len(value) <= most:
            raise ServiceError(
                "ValidationError", f"{member} has {len(value)} characters; {least} to {most} are allowed."
            )
        if not value.isascii():
            raise ServiceError("ValidationError", f"{member} must be ASCII.")
    for name in NOT_DONE:
        if f"x-amzn-sagemaker-{name}" in headers:
            raise ServiceError("ValidationError", f"The local SageMaker does not do x-amzn-sagemaker-{name}.")


@cache
def _limits() -> dict[str, tuple[str, int, int]]:
    """By header: the member of InvokeEndpointInput, and the lengths that it may have."""
    loaded = botocore.loaders.Loader().load_service_model("sagemaker-runtime", "service-2")
    shape = ServiceModel(loaded, "sagemaker-runtime").shape_for("InvokeEndpointInput")
    members = {member.serialization.get("name", "").lower(): (name, member) for name, member in shape.members.items()}
    chosen = ("content-type", "accept", CUSTOM_ATTRIBUTES, INFERENCE_ID, TARGET_VARIANT)
    return {
        header: (name, member.metadata.get("min", 0), member.metadata["max"])
        for header, (name, member) in members.items()
        if header in chosen
    }


def _refusal(error: ServiceError) -> Response:
    members = error.members if isinstance(error, ModelError) else {"Message": error.message}
    headers = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error.code}
    return JSONResponse(members, status_code=error.status, headers=headers)
