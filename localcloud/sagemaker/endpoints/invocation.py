"""One InvokeEndpoint: choose an instance, hand the request on, capture and count it, and word the errors as AWS does.

Errors are those of the runtime's service model: ValidationError 400, ModelNotReadyException 429, ModelError 424 with
the container's own status, ServiceUnavailable 503; and a serverless endpoint's ThrottlingException 400, which is among
the errors that are common to all services.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import serverless
from localcloud.sagemaker.endpoints.capture import Captured
from localcloud.sagemaker.endpoints.fleet import Fleet
from localcloud.sagemaker.endpoints.hosting import EndpointHosting
from localcloud.sagemaker.endpoints.instance import Instance
from localcloud.sagemaker.endpoints.plan import Variant
from localcloud.sagemaker.endpoints.traffic import (
    BusyError,
    EndpointTraffic,
    NotServingError,
    NoVariantError,
    ThrottledError,
)
from localcloud.sagemaker.endpoints.upstream import Answer, BrokenAnswerError, NotConnectedError
from localcloud.sagemaker.errors import ServiceError

MOST_BYTES = 6_291_456
"""Of a request's body, and of an answer's: BodyBlob in the runtime's service model."""
ANSWER_SECONDS = 60.0
MESSAGE_CHARACTERS = 8_192
CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
TARGET_VARIANT = "x-amzn-sagemaker-target-variant"
HANDED_ON = "x-amzn-sagemaker-"
"""Of the client's headers a container gets Content-Type, Accept, and those that begin like this."""

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


class ModelError(ServiceError):
    """The container answered something else than 2xx (`original_status`), or nothing (0)."""

    def __init__(self, cloud: Cloud, endpoint: str, status: int, message: str) -> None:
        fault = "client" if 400 <= status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        console = f"https://{cloud.region}.console.aws.amazon.com/cloudwatch/home?region={cloud.region}"
        says = f'with message "{message}"'
        if len(message) > MESSAGE_CHARACTERS:
            message, says = "", "and could not load the entire response body"
        super().__init__(
            "ModelError",
            f"Received {fault} error ({status}) from primary {says}. See {console}#logEventViewer:group={group} "
            f"in account {cloud.account} for more information.",
            424,
        )
        self.members = {
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if fault == "client" else "INTERNAL_FAILURE_FROM_MODEL",
            "LogStreamArn": f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{group}",
            "Message": self.message,
            "OriginalMessage": message,
            "OriginalStatusCode": status,
        }


@dataclass(frozen=True)
class Invocation:
    """A request to the runtime: the endpoint's name, headers (names in lower case) and body."""

    endpoint: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Result:
    """What the client gets: headers and body of an answer with status 200."""

    headers: dict[str, str]
    body: bytes


async def invoke(cloud: Cloud, invocation: Invocation) -> Result:
    """Have a model answer a request.

    Raises:
        ServiceError: as the runtime API answers.
    """
    came, moment = time.perf_counter(), time.time()
    hosted = cloud.shared(EndpointHosting).find(invocation.endpoint)
    if hosted is None or hosted.traffic.live is None:
        raise ServiceError("ValidationError", f"Endpoint {invocation.endpoint} of account {cloud.account} not found.")
    traffic, refused = hosted.traffic, set[Instance]()
    while True:
        try:
            with traffic.instance(invocation.headers.get(TARGET_VARIANT), refused) as (fleet, variant, instance):
                answer, model_seconds = await _ask_model(cloud, invocation, fleet, variant, instance, came)
            break
        except NotConnectedError:
            refused.add(instance)  # it has just ended; whoever supervises it will see that as well
        except (NoVariantError, NotServingError, BusyError, ThrottledError) as error:
            raise _unavailable(invocation, error, bool(refused)) from None
    _capture(cloud, traffic, invocation, fleet, variant, answer, moment)
    overhead = time.perf_counter() - came - model_seconds
    cloud.shared(EndpointHosting).metrics.count(
        invocation.endpoint, fleet.plan.config, variant.name, answer.status, model_seconds, overhead
    )
    return Result(_headers(answer, variant), answer.body)


async def _ask_model(
    cloud: Cloud, invocation: Invocation, fleet: Fleet, variant: Variant, instance: Instance, came: float
) -> tuple[Answer, float]:
    """The answer of an instance, which is 2xx, and the seconds that it took.

    Raises:
        NotConnectedError: the instance does not take connections.
        ModelError: it answered something else, or nothing.
        ServiceError: the request is longer than a serverless variant takes.
    """
    most = serverless.MOST_BYTES if variant.serverless else MOST_BYTES
    if len(invocation.body) > most:
        raise ServiceError("ValidationError", f"HTTP content length exceeded {most} bytes.", 413)
    if instance.connections is None:
        raise NotConnectedError("it has not been started")
    began = time.perf_counter()
    status, message = 0, ""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await instance.connections.post("/invocations", _handed_on(invocation), invocation.body, most)
        status = answer.status
        if 200 <= status < 300:
            return answer, time.perf_counter() - began
        message = answer.body.decode("utf-8", "replace")
    except TimeoutError:
        message = TIMED_OUT
    except BrokenAnswerError as error:
        message = f"The model container gave no answer: {error}."
    seconds = time.perf_counter() - began
    overhead = time.perf_counter() - came - seconds
    cloud.shared(EndpointHosting).metrics.count(
        invocation.endpoint, fleet.plan.config, variant.name, status, seconds, overhead
    )
    raise ModelError(cloud, invocation.endpoint, status, message)


def _handed_on(invocation: Invocation) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in invocation.headers.items()
        if name in ("content-type", "accept") or name.startswith(HANDED_ON)
    ]


def _headers(answer: Answer, variant: Variant) -> dict[str, str]:
    headers = {
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-amzn-invoked-production-variant": variant.name,
        "content-type": answer.headers.get(b"content-type", b"application/octet-stream").decode("latin-1"),
    }
    if custom := answer.headers.get(CUSTOM_ATTRIBUTES.encode()):
        headers[CUSTOM_ATTRIBUTES] = custom.decode("latin-1")
    return headers


def _unavailable(invocation: Invocation, error: Exception, refused: bool) -> ServiceError:
    name = invocation.endpoint
    if isinstance(error, NoVariantError):
        return ServiceError("ValidationError", f"Variant {error} of endpoint {name} not found.")
    if isinstance(error, ThrottledError):
        return ServiceError("ThrottlingException", f"Rate exceeded: endpoint {name} works on its MaxConcurrency.")
    if isinstance(error, BusyError):
        return ServiceError("ServiceUnavailable", f"Endpoint {name} works on as many requests as it can take.", 503)
    if str(error) == "starting" and not refused:
        return ServiceError("ModelNotReadyException", f"The model of endpoint {name} is being loaded.", 429)
    return ServiceError("ServiceUnavailable", f"No instance of endpoint {name} is healthy.", 503)


def _capture(
    cloud: Cloud,
    traffic: EndpointTraffic,
    invocation: Invocation,
    fleet: Fleet,
    variant: Variant,
    answer: Answer,
    moment: float,
) -> None:
    wanted = fleet.capture
    if wanted is None or 100 * traffic.chance.random() >= wanted.percentage:
        return
    captured = Captured(
        moment,
        str(uuid.uuid4()),
        invocation.headers.get("content-type", ""),
        invocation.body,
        answer.headers.get(b"content-type", b"").decode("latin-1"),
        answer.body,
        invocation.headers.get(INFERENCE_ID, ""),
        invocation.headers.get(CUSTOM_ATTRIBUTES, ""),
    )
    cloud.shared(EndpointHosting).capture.add(invocation.endpoint, variant.name, wanted, captured, variant.role)
