"""A task of an activity that is gone ends the execution, and names the activity.

AWS: recorded answer, "The activity arn:aws:states:…:activity:name does not exist." moto's error cannot be made.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_activitiy import StateTaskActivity
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails


def apply() -> None:
    """Look for the activity before moto does."""
    original = StateTaskActivity._eval_execution

    def eval_execution(self: Any, env: Any) -> None:
        arn = self.resource.resource_arn
        if arn not in env.activity_store:
            raise FailureEventException(
                failure_event=FailureEvent(
                    env=env,
                    error_name=StatesErrorName(typ=StatesErrorNameType.StatesRuntime),
                    event_type=HistoryEventType.ExecutionFailed,
                    event_details=EventDetails(
                        executionFailedEventDetails=ExecutionFailedEventDetails(
                            error=StatesErrorNameType.StatesRuntime.to_name(),
                            cause=f"The activity {arn} does not exist.",
                        )
                    ),
                )
            )
        original(self, env)

    StateTaskActivity._eval_execution = eval_execution
