"""A Map state's ItemsPath leads to an array, or ends the execution with States.Runtime.

AWS: recorded answers of TestState, 'Reference path "$.Execution.Input" must point to array.'
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.path.items_path import ItemsPath
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

RUNTIME = StatesErrorNameType.StatesRuntime


def apply() -> None:
    """Look at what the path leads to."""
    original = ItemsPath._eval_body

    def eval_body(self: Any, env: Any) -> None:
        original(self, env)
        if isinstance(env.stack[-1], list):
            return
        path = getattr(self.string_sampler, "json_path", self.string_sampler.literal_value)
        details = ExecutionFailedEventDetails(
            error=RUNTIME.to_name(), cause=f'Reference path "{path}" must point to array.'
        )
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=StatesErrorName(typ=RUNTIME),
                event_type=HistoryEventType.ExecutionFailed,
                event_details=EventDetails(executionFailedEventDetails=details),
            )
        )

    ItemsPath._eval_body = eval_body
