"""A function that is called while the machine is full waits its turn instead of failing at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc, sns

from localcloud.corrections import seam

BEHAVIOUR = (
    "An account runs a thousand functions at once, a laptop a few: a call waits half a minute for its turn, and only "
    "then is TooManyRequestsException; an asynchronous event waits for hours."
)
EVIDENCE = (
    "Developer guide: Lambda quotas (1,000 concurrent executions); asynchronous invocation (throttled events are tried "
    "again for up to six hours)."
)
MINISTACK = "1.5.33"

PATIENCE = 30.0
"""Seconds that a call waits for its turn: half of what boto3 waits for an answer."""
ASYNCHRONOUS_PATIENCE = 6 * 3600.0
BESIDE = "beside the limit"
"""The slot of a function that another one calls and waits for: it works in its caller's stead, and must not wait."""

_patience: ContextVar[float] = ContextVar("_patience", default=PATIENCE)
_turns = threading.Condition()
_waiting: deque[object] = deque()


def _wait_for_slot(original: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's own answer, (slot, None) or (None, "function" or "account"), but "account" only after waiting."""

    def wait_for_slot(func: dict[str, Any], config: dict[str, Any]) -> Any:
        patience = _patience.get()
        if lambda_svc._invoke_depth.get() > 1 and patience == PATIENCE:
            slot, limit = original(func, config)
            return (BESIDE, None) if limit == "account" else (slot, limit)
        me, deadline = object(), time.monotonic() + patience
        with _turns:
            _waiting.append(me)
            try:
                while True:
                    if _waiting[0] is me:
                        slot, limit = original(func, config)
                        if limit != "account":
                            return slot, limit
                    if not _turns.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                        return None, "account"
            finally:
                _waiting.remove(me)
                _turns.notify_all()

    return wait_for_slot


def _release(original: Callable[..., Any]) -> Callable[..., Any]:
    def release(key: str) -> None:
        if key == BESIDE:
            return
        original(key)
        with _turns:
            _turns.notify_all()

    return release


def _invoke_patiently(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(*args: Any) -> Any:
        before = _patience.set(ASYNCHRONOUS_PATIENCE)
        try:
            return original(*args)  # a thread that it starts has a copy of this context
        finally:
            _patience.reset(before)

    return invoke


def apply() -> None:
    """Raises SeamError when MiniStack counts running functions in another way."""
    if not isinstance(getattr(lambda_svc, "_invoke_depth", None), ContextVar):
        raise seam.SeamError(
            "Correction waiting_for_functions does not fit this MiniStack: lambda_svc._invoke_depth is no ContextVar."
        )
    seam.replace(__name__, lambda_svc, "_acquire_execution_slot", "func", "config", by=_wait_for_slot)
    seam.replace(__name__, lambda_svc, "_release_execution_slot", "key", by=_release)
    seam.replace(__name__, lambda_svc, "invoke_async_with_retry", "func", "event", by=_invoke_patiently)
    message = ("endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes")
    seam.replace(__name__, sns, "_deliver_to_lambda", *message, by=_invoke_patiently)
