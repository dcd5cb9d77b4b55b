"""A payload that is no JSON is refused, and not handed to the function as an empty event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from localcloud.corrections import seam

BEHAVIOUR = (
    "Invoke with a payload that is no JSON answers 400 InvalidRequestContentException; the function is not called."
)
EVIDENCE = (
    "botocore's service model of Lambda has InvalidRequestContentException for Invoke: 'The request body could not be "
    "parsed as JSON'."
)
MINISTACK = "1.5.33"


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Any:
        if body and method == "POST" and path.endswith("/invocations"):
            try:
                json.loads(body)
            except ValueError as error:
                problem = f"Could not parse request body into json: {error}"
                return error_response_json("InvalidRequestContentException", problem, 400)
        return await original(method, path, headers, body, query_params)

    return handle


def apply() -> None:
    """Raises SeamError when MiniStack handles Lambda's requests in another way."""
    parameters = ("method", "path", "headers", "body", "query_params")
    seam.replace(__name__, lambda_svc, "handle_request", *parameters, by=_checked)
