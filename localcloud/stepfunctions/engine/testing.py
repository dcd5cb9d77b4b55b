"""One state by itself, as TestState runs it: once, with what happened on the way."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext

from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.history import History
from localcloud.stepfunctions.engine.program import read

STATE_NAME = "StateName"
"""What AWS calls a state that is tested by itself."""
THRESHOLD = "States.ExceedToleratedFailureThreshold"
Body = dict[str, Any]
_STEPS = {
    "input_path": "afterInputPath",
    "parargs": "afterParameters",
    "parameters": "afterParameters",
    "result": "result",
    "result_selector": "afterResultSelector",
    "result_path": "afterResultPath",
}
"""What inspectionData calls the values that a state's parts make."""
_STATES_ERRORS = {kind.to_name(): kind for kind in StatesErrorNameType}


@dataclass(frozen=True)
class Caller:
    """Where, and as whom, the state runs."""

    account: str
    region: str
    role: str


@dataclass(frozen=True)
class Mock:
    """What the state's work is replaced by: a result (a JSON value) or an error."""

    result: Any = None
    error: str | None = None
    cause: str | None = None
    failures: int = 0


@dataclass
class Tested:
    """How it went.

    Attributes:
        output: a JSON value, as is `result`, that of the state's work.
        values: what its paths and templates made, by AWS's names.
    """

    output: Any = None
    result: Any = None
    next_state: str | None = None
    error: str | None = None
    cause: str | None = None
    failed: bool = False
    caught: bool = False
    values: Body = field(default_factory=dict)


def run(
    state: Body, context: Body, value: Any, variables: Body, mock: Mock | None, caller: Caller, is_exact: bool = False
) -> Tested:
    """Run a state without its Retry on `value`; a context that `is_exact` gets no members of the state's own.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    overrides.apply()
    once = {key: item for key, item in state.items() if key != "Retry"}
    definition = json.dumps({"StartAt": STATE_NAME, "States": {STATE_NAME: once}}, ensure_ascii=False)
    tried = read(definition)[0].states.states[STATE_NAME]
    env = Environment(
        aws_execution_details=AWSExecutionDetails(account=caller.account, region=caller.region, role_arn=caller.role),
        execution_type=StateMachineType.STANDARD,
        context={"StateMachine": {}, **context, "Execution": {"Input": value, **context.get("Execution", {})}},
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )
    env.event_manager = History(definition, lambda event: None)
    env.states.reset(value)
    for name, item in variables.items():
        env.variable_store.set(name, item)
    env.variable_store.reset_tracing()
    tested = Tested()
    _watch_steps(tried, tested)
    _watch_work(tried, tested, mock)
    if is_exact:
        _fix_context(tried, env, context)
    env.next_state_name = STATE_NAME
    try:
        tried.eval(env)
    except FailureEventException as failure:
        told = failure.get_execution_failed_event_details() or {}
        tested.failed, tested.error, tested.cause = True, told.get("error"), told.get("cause")
        return tested
    tested.output = env.states.get_input()
    if env.next_state_name not in (None, STATE_NAME):
        tested.next_state = env.next_state_name
    return tested


def _watch_steps(state: Any, tested: Tested) -> None:
    """Keep what each path and template of the state makes."""
    for attribute, name in _STEPS.items():
        component = getattr(state, attribute, None)
        if component is not None:
            component._eval_body = _kept(component._eval_body, name, tested)


def _kept(step: Any, name: str, tested: Tested) -> Any:
    def eval_body(env: Any) -> None:
        step(env)
        tested.values[name] = copy.deepcopy(env.stack[-1])

    return eval_body


def _fix_context(state: Any, outer: Any, context: Body) -> None:
    """Let the state see the context as it was given when its work begins, and after."""
    name = "_eval_execution" if isinstance(state, ExecutionState) else "_eval_state"
    original = getattr(state, name)

    def evaluate(env: Any) -> None:
        for one in (outer, env):
            data = one.states.context_object.context_object_data
            data.clear()
            data.update(copy.deepcopy(context))
        original(env)

    setattr(state, name, evaluate)


def _watch_work(state: Any, tested: Tested, mock: Mock | None) -> None:
    """Let the state put its work's result, its failure and its catcher into `tested`."""
    if not isinstance(state, ExecutionState):
        return
    work, from_error, handle_catch = state._eval_execution, state._from_error, state._handle_catch

    def eval_execution(env: Any) -> None:
        if isinstance(state, StateMap):
            if state.items_path is not None and state.item_reader is None:
                state.items_path.eval(env)
                tested.values["afterItemsPath"] = env.stack.pop()
            _map_limits(state, env, tested)
        if mock is None:
            work(env)
        else:
            if isinstance(state, StateTask):
                state._eval_parameters(env=env)
            _answer(mock, env, tested)
        tested.result = env.stack[-1]

    def told(env: Any, ex: Exception) -> Any:
        failure = from_error(env=env, ex=ex)
        details = next(iter((failure.event_details or {"": {}}).values()))
        tested.failed, tested.error, tested.cause = True, details.get("error"), details.get("cause")
        return failure

    def caught(env: Any, failure_event: Any) -> None:
        handle_catch(env=env, failure_event=failure_event)
        tested.caught = env.next_state_name != state.name

    state._eval_execution, state._from_error, state._handle_catch = eval_execution, told, caught


def _map_limits(state: Any, env: Any, tested: Tested) -> None:
    for name, limit in (
        ("maxConcurrency", state.max_concurrency_decl),
        ("toleratedFailureCount", state.tolerated_failure_count_decl),
        ("toleratedFailurePercentage", state.tolerated_failure_percentage_decl),
    ):
        limit.eval(env=env)
        value = env.stack.pop()
        if value or name == "maxConcurrency":
            tested.values[name] = value


def _answer(mock: Mock, env: Any, tested: Tested) -> None:
    if mock.error is not None:
        raise _failure(env, mock.error, mock.cause)
    if mock.failures > tested.values.get("toleratedFailureCount", mock.failures):
        raise _failure(env, THRESHOLD, "The specified tolerated failure threshold was exceeded")
    env.stack.append(mock.result)


def _failure(env: Any, error: str, cause: str | None) -> FailureEventException:
    kind = _STATES_ERRORS.get(error)
    details = TaskFailedEventDetails(error=error, **({} if cause is None else {"cause": cause}))
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=CustomErrorName(error) if kind is None else StatesErrorName(kind),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )
