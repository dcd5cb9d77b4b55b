"""A task of MiniStack's Step Functions calls its function as Step Functions does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ministack.services import stepfunctions

from localcloud.corrections import seam

BEHAVIOUR = (
    "A payload that is a JSON string is the function's event itself, so the function receives what the string holds; a "
    "call that Lambda throttles fails with Lambda.TooManyRequestsException."
)
EVIDENCE = (
    "Exported state machines of public projects hand a body on with InputPath $.body, and run on AWS. The error's name "
    "is in the Retry that the console and the developer guide's best practices put on every Lambda task."
)
MINISTACK = "1.5.33"


def _call(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(func_ref: str, event: Any) -> Any:
        if isinstance(event, str):
            with suppress(json.JSONDecodeError):
                event = json.loads(event)
        try:
            return original(func_ref, event)
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and '"TooManyRequestsException"' in error.cause:
                raise stepfunctions._ExecutionError(
                    "Lambda.TooManyRequestsException", "Rate Exceeded. (Service: Lambda, Status Code: 429)"
                ) from None
            raise

    return call


def apply() -> None:
    """Raises SeamError when MiniStack's state machines call functions in another way."""
    seam.original(__name__, stepfunctions, "_ExecutionError", "error", "cause")
    seam.replace(__name__, stepfunctions, "_call_lambda", "func_ref", "event", by=_call)
