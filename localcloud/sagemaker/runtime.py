"""The runtime's REST protocol: `POST /endpoints/{EndpointName}/invocations`.

Written on ASGI itself, because a request and a response object would cost more than everything else that is done here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from functools import cache

import botocore.loaders
from botocore.model import ServiceModel

from localcloud.door import Receive, Scope, Send
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints.invocation import (
    CUSTOM_ATTRIBUTES,
    INFERENCE_ID,
    MOST_BYTES,
    TARGET_VARIANT,
    Invocation,
    ModelError,
    Result,
    invoke,
)
from localcloud.sagemaker.errors import ServiceError, own_fault

log = logging.getLogger(__name__)
PATH = "/endpoints/{name}/invocations"
BODY_SECONDS = 60.0
"""How long a client may take to send its body."""

NOT_DONE = ("target-model", "target-container-hostname", "inference-component", "enable-explanations", "session-id")
"""Headers that ask for what is not done here, without their prefix x-amzn-sagemaker-."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class Runtime:
    """The ASGI application of the invocations path."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            result = await self._answered(scope, receive)
        except ClientGoneError:
            return
        except ServiceError as error:
            await _refuse(send, error)
        except Exception as error:
            log.exception("invocation of %s", scope["path"])
            await _refuse(send, ServiceError("InternalFailure", f"The invocation failed: {own_fault(error)}.", 500))
        else:
            await _send(send, 200, result.headers, result.body)

    async def _answered(self, scope: Scope, receive: Receive) -> Result:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive, headers)
        _check(headers)
        return await invoke(self._cloud, Invocation(scope["path_params"]["name"], headers, body))


async def _body(receive: Receive, headers: dict[str, str]) -> bytes:
    """The request's body. One that is too long is read to its end, so that the client gets to see the answer.

    Raises:
        ServiceError: it is too long, or did not come in time.
        ClientGoneError: it did not come at all.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                part = message.get("body", b"")
                size += len(part)
                if size <= MOST_BYTES:
                    parts.append(part)
                if not message.get("more_body"):
                    break
    except TimeoutError:
        message_text = f"The request's body did not come within {BODY_SECONDS:.0f} s."
        raise ServiceError("RequestTimeout", message_text, 408) from None
    if size > MOST_BYTES:
        raise ServiceError("ValidationError", f"HTTP content length exceeded {MOST_BYTES} bytes.", 413)
    return b"".join(parts)


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


async def _refuse(send: Send, error: ServiceError) -> None:
    members = error.members if isinstance(error, ModelError) else {"Message": error.message}
    headers = {
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-amzn-errortype": error.code,
        "content-type": "application/json",
    }
    await _send(send, error.status, headers, json.dumps(members).encode())


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
