"""A state may catch its error into itself, and a silent worker is States.HeartbeatTimeout to Catch and Retry.

AWS: "Next" of a Catch may be any state of the machine (the Amazon States Language; loops that ask again do it). A task
whose heartbeats stop ends as States.Timeout in the history (recorded); Catch and Retry know it as
States.HeartbeatTimeout too (developer guide, "Handling errors in Step Functions workflows").
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimeoutError

TIMEOUTS = (StatesErrorNameType.StatesTimeout.to_name(), StatesErrorNameType.StatesHeartbeatTimeout.to_name())


class Silence(StatesErrorName):
    """The name of a task's end whose heartbeats stopped; equal to both names of it."""

    def __init__(self) -> None:
        super().__init__(typ=StatesErrorNameType.StatesTimeout)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ErrorName) and other.error_name in TIMEOUTS

    __hash__ = None  # type: ignore[assignment]


def apply() -> None:
    """Look at what was caught, and at the kind of a time-out, before moto does."""
    set_next, from_error = ExecutionState._set_next, StateTask._from_error

    def next_of(self: Any, env: Any) -> None:
        if not (env.stack and env.stack[-1] is CatchOutcome.Caught):
            set_next(self, env)  # which takes the state's own name for one that nobody has chosen

    def failure(self: Any, env: Any, ex: Exception) -> Any:
        event = from_error(self, env, ex)
        if isinstance(ex, HeartbeatTimeoutError):
            event.error_name = Silence()
        return event

    ExecutionState._set_next = next_of
    StateTask._from_error = failure
