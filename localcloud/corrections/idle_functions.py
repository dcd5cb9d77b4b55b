"""Functions that nobody calls give their memory back when others need it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from localcloud.corrections import seam

BEHAVIOUR = (
    "The processes of all functions together are twice as many as may run at once, or those of the last half minute: "
    "the longest idle ends first, also a function's only one."
)
EVIDENCE = (
    "Developer guide, execution environment lifecycle: Lambda keeps an environment for some time in anticipation of "
    "another invocation, ends it when it likes, and a function must not depend on it."
)
MINISTACK = "1.5.33"

IDLE_SECONDS = 30.0
"""A process that was called within so many seconds stays: ending it would have the next call start another."""


def kept() -> int:
    """How many processes stay however long they are idle."""
    return 2 * int(os.environ["LAMBDA_ACCOUNT_CONCURRENCY"])


def end_idle(now: float) -> None:
    """End the processes beyond `kept()` that have been idle the longest."""
    with lambda_runtime._lock:
        pools: dict[Any, list[Any]] = lambda_runtime._workers
        surplus = sum(map(len, pools.values())) - kept()
        if surplus <= 0:
            return
        idle = [one for pool in pools.values() for one in pool if not one.in_use and now - one.last_used > IDLE_SECONDS]
        ended = sorted(idle, key=lambda one: one.last_used)[:surplus]
        for key, pool in list(pools.items()):
            left = [one for one in pool if one not in ended]
            if left:
                pools[key] = left
            else:
                del pools[key]
    if ended:  # one that ignores SIGTERM is waited for, and this call need not
        threading.Thread(target=lambda_runtime.kill_workers, args=(ended,), daemon=True).start()


def _acquire(original: Callable[..., Any]) -> Callable[..., Any]:
    def acquire_worker(*args: Any, **settings: Any) -> Any:
        found = original(*args, **settings)
        end_idle(time.time())
        return found

    return acquire_worker


def apply() -> None:
    """Raises SeamError when MiniStack keeps functions' processes in another way."""
    seam.original(__name__, lambda_runtime, "kill_workers", "workers")
    lease = ("func_name", "config", "code_zip", "qualifier", "max_concurrency")
    seam.replace(__name__, lambda_svc, "acquire_worker", *lease, by=_acquire)
