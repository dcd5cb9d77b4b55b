"""Tasks of SageMaker, and its jobs (`.sync`).

AWS: developer guide, "Create and manage Amazon SageMaker AI jobs with Step Functions", has the operations, which of
them support `.sync`, and the permission to Describe and Stop that this needs. The output is the job's description: its
ModelArtifacts are what published state machines go on with. A job that fails is States.TaskFailed with the description
as cause, as recorded for states, ecs, batch and glue. That a stopped job fails its state too is not documented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)

from localcloud.stepfunctions.engine.overrides import put
from localcloud.stepfunctions.engine.overrides.clients import boto_client_for
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str
from localcloud.stepfunctions.engine.overrides.task_errors import failure, named

ENDED = ("Completed", "Failed", "Stopped")


class SageMakerTask(StateTaskServiceCallback):
    """A Task state with a resource of SageMaker."""

    def __init__(self) -> None:
        super().__init__(supported_integration_patterns={ResourceCondition.Sync})

    def _validate_service_integration_is_supported(self) -> None:
        """localcloud/stepfunctions/resources.py has."""

    @property
    def _kind(self) -> str:
        """`ProcessingJob`, for createProcessingJob."""
        return str(self.resource.api_action.removeprefix("create"))

    def _eval_service_task(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = boto_client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        env.stack.append(getattr(client, self._get_boto_service_action())(**normalised_parameters))

    def _build_sync_resolver(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Callable[[], Any]:
        env.stack.pop()
        self_name = f"{self._kind}Name"
        describe = f"Describe{self._kind}"
        client = boto_client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        method = getattr(client, xform_name(describe))

        def look() -> Any:
            job = method(**{self_name: normalised_parameters[self_name]})
            status = job[f"{self._kind}Status"]
            if status not in ENDED:
                return None
            self._normalise_response(job, service_action_name=xform_name(describe))
            if status != "Completed":
                raise FailureEventException(failure(self, env, "States.TaskFailed", to_json_str(job)))
            return job

        return look

    def stop_job(self, region: str, submitted: dict[str, Any], state_credentials: Any) -> None:
        """Stop the job that the task started."""
        name = submitted[f"{self._kind}Arn"].rpartition("/")[2]
        stop = getattr(boto_client_for(region, "sagemaker", state_credentials), xform_name(f"Stop{self._kind}"))
        stop(**{f"{self._kind}Name": name})


def apply() -> None:
    """Give SageMaker's resources a task of their own."""
    SageMakerTask._from_error = named(StateTaskServiceCallback._from_error)
    original = state_task_service_factory.state_task_service_for
    put(
        "state_task_service_for",
        original,
        lambda service_name: SageMakerTask() if service_name == "sagemaker" else original(service_name),
    )
