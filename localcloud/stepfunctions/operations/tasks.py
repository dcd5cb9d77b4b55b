"""Task tokens: whoever has one says how its task ended, or that it still works."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackConsumerTimeout,
    CallbackNotifyConsumerError,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
)

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.protocol import Body, ServiceError


@operation("SendTaskSuccess")
def send_success(cloud: StatesCloud, request: Body) -> None:
    """The task ended with this output."""
    try:
        json.loads(request["output"])
    except ValueError as error:
        raise ServiceError("InvalidOutput", f"Invalid Output: '{error}'") from None
    outcome = CallbackOutcomeSuccess(callback_id=request["taskToken"], output=request["output"])
    _tell(cloud, outcome.callback_id, lambda pool: pool.notify(callback_id=outcome.callback_id, outcome=outcome))


@operation("SendTaskFailure")
def send_failure(cloud: StatesCloud, request: Body) -> None:
    """The task failed."""
    outcome = CallbackOutcomeFailure(
        callback_id=request["taskToken"], error=request.get("error"), cause=request.get("cause")
    )
    _tell(cloud, outcome.callback_id, lambda pool: pool.notify(callback_id=outcome.callback_id, outcome=outcome))


@operation("SendTaskHeartbeat")
def send_heartbeat(cloud: StatesCloud, request: Body) -> None:
    """The task still works."""
    token = request["taskToken"]
    # A task that does not count heartbeats, or not yet, takes them too.
    _tell(cloud, token, lambda pool: pool.heartbeat(callback_id=token) or pool.get(token) is not None)


def _tell(cloud: StatesCloud, token: str, say: Callable[[Any], bool]) -> None:
    """Find the execution that waits for the token.

    Raises:
        ServiceError: InvalidToken; TaskTimedOut when it waits no longer.
    """
    for run in list(cloud.runs.values()):
        try:
            if say(run.environment.callback_pool_manager):
                return
        except CallbackNotifyConsumerError as error:
            if isinstance(error.callback_consumer_error, CallbackConsumerTimeout):
                raise _timed_out() from None
            raise ServiceError("TaskDoesNotExist", "Task does not exist anymore") from None
    if token in cloud.closed_tokens:
        raise _timed_out()
    raise ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")


def _timed_out() -> ServiceError:
    return ServiceError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
