"""Ask the endpoint about one picture."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from lambdas.classify_image.answer import ACCEPT, NotProbabilitiesError, parsed, prediction
from lambdas.outcomes import FailedError
from lambdas.service_errors import calling

MAX_INFERENCE_ID = 64


class Classified(NamedTuple):
    """Probability per class, in class order, and how unlike the training pictures it is, from a model that says so."""

    inferences: list[float]
    unfamiliarity: float | None


def classify(
    runtime: Any, endpoint: str, picture: bytes, content_type: str, inference_id: str, classes: int
) -> Classified:
    """What the model says; `inference_id` ties the captured record to the execution.

    Raises:
        BadInputError: the model refused the picture.
        RetryableError: the endpoint was busy, slow or away.
        FailedError: no such endpoint, or an answer that is not a probability per class.
    """
    with calling(f"asking endpoint {endpoint}"):
        response = runtime.invoke_endpoint(
            EndpointName=endpoint,
            Body=picture,
            ContentType=content_type,
            Accept=ACCEPT,
            InferenceId=inference_id,
        )
        body: bytes = response["Body"].read()
    try:
        return Classified(*prediction(parsed(body), classes))
    except NotProbabilitiesError as error:
        raise FailedError("MalformedAnswer", f"Endpoint {endpoint} answered {body[:120]!r}: {error}.") from None


def inference_id(*parts: str) -> str:
    """`parts` joined by slashes, or their digest when that is longer than the 64 ASCII characters allowed."""
    name = "/".join(parts)
    if len(name) <= MAX_INFERENCE_ID and name.isascii():
        return name
    return hashlib.sha256(name.encode()).hexdigest()
