"""A task that runs a job (`.sync`) asks for it soon and often, and a job that nobody waits for is stopped.

AWS: developer guide, "Run a Job (.sync)": "A task can be aborted if the state machine execution is stopped, a different
branch of a Parallel state fails, an iteration of a Map state fails. Step Functions will make a best-effort attempt to
cancel the task." A job of a task that ran out of its TimeoutSeconds is stopped likewise. A token whose task is over is
TaskTimedOut (API reference, SendTaskSuccess: "the task associated with the token has already been closed"). A worker
may answer before the call that started it has returned.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackConsumerTimeout

from localcloud.stepfunctions.engine.overrides.clients import boto_client_for

log = logging.getLogger("localcloud.stepfunctions")
SHORTEST_SECONDS, LONGEST_SECONDS = 0.05, 0.5
"""Between two looks at a job: at first, and at last."""


class AbandonedError(Exception):
    """Nobody waits for the task any more, so what it would say goes nowhere."""


def apply() -> None:
    """Replace how a task waits for its job."""
    original = StateTaskServiceCallback._eval_integration_pattern

    def wait(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        details = (env, resource_runtime_part, normalised_parameters, state_credentials)
        if self.resource.condition == ResourceCondition.WaitForTaskToken:
            token = env.states.context_object.context_object_data["Task"]["Token"]
            try:
                original(self, *details)
            finally:
                env.callback_pool_manager.get(token).report(CallbackConsumerTimeout())
            return
        submitted = dict(env.stack[-1])
        sync = self.resource.condition == ResourceCondition.Sync
        look = (self._build_sync_resolver if sync else self._build_sync2_resolver)(*details)
        whose = (resource_runtime_part.region, submitted, state_credentials)
        env.stack.append(_result(self, env, look, lambda: _stop(self, *whose)))

    StateTaskServiceCallback._eval_integration_pattern = wait
    heartbeats = StateTaskServiceCallback._wait_for_task_token_heartbeat

    def wait_for_heartbeats(self: Any, env: Any, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        return callback_endpoint.get_outcome() or heartbeats(self, env, callback_endpoint, heartbeat_endpoint)

    StateTaskServiceCallback._wait_for_task_token_heartbeat = wait_for_heartbeats
    StateTaskServiceSfn.stop_job = _stop_execution


def _result(task: Any, env: Any, look: Callable[[], Any], stop: Callable[[], None]) -> Any:
    """What `look` says of the job in the end.

    Raises:
        AbandonedError: the task was aborted, and its job is stopped.
    """
    pause = SHORTEST_SECONDS
    while env.is_running():
        if (found := look()) is not None:
            return found
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_SECONDS)
    stop()
    raise AbandonedError(task.resource.resource_arn)


def _stop(task: Any, region: str, submitted: dict[str, Any], state_credentials: Any) -> None:
    if not hasattr(task, "stop_job"):
        return  # batch, ecs and glue: moto starts their jobs
    try:
        task.stop_job(region, submitted, state_credentials)
    except (ClientError, BotoCoreError) as error:
        log.warning("%s: its job cannot be stopped: %s", task.resource.resource_arn, error)


def _stop_execution(self: Any, region: str, submitted: dict[str, Any], state_credentials: Any) -> None:
    boto_client_for(region, "stepfunctions", state_credentials).stop_execution(executionArn=submitted["ExecutionArn"])
