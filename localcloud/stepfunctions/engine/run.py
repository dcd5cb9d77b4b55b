"""One execution: begun, followed in its history, ended."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.eval.evaluation_details import (
    AWSExecutionDetails,
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramState,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.backend.execution_worker_comm import ExecutionWorkerCommunication

from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.history import Event, History
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str
from localcloud.stepfunctions.engine.program import program
from localcloud.stepfunctions.engine.progress import Node, Progress

log = logging.getLogger("localcloud.stepfunctions")
_LAST_EVENTS = {
    "FAILED": (HistoryEventType.ExecutionFailed, "executionFailedEventDetails"),
    "ABORTED": (HistoryEventType.ExecutionAborted, "executionAbortedEventDetails"),
    "TIMED_OUT": (HistoryEventType.ExecutionTimedOut, "executionTimedOutEventDetails"),
}


@dataclass(frozen=True)
class Request:
    """What an execution is begun with; `machine` is the ARN without version or alias, `map_run` that of its Map Run."""

    arn: str
    name: str
    machine: str
    machine_name: str
    role: str
    definition: str
    input: str
    express: bool
    account: str
    region: str
    started: float
    map_run: str = ""
    logging: dict[str, Any] | None = None


@dataclass(frozen=True)
class Redrive:
    """What a redrive goes on from: how often it was done, when, where the execution stood, its last event."""

    count: int
    moment: float
    progress: Node | None
    last_id: int


@dataclass(frozen=True)
class Outcome:
    """How an execution ended; `output` is JSON text, and None unless it SUCCEEDED."""

    status: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None


@dataclass
class Run:
    """An execution that runs."""

    request: Request
    worker: Worker
    outcome: Outcome | None = None

    @property
    def environment(self) -> Any:
        """moto's environment of the execution, where its task tokens are."""
        return self.worker.env

    @property
    def progress(self) -> Node:
        """Where the execution stands, for a redrive."""
        saved: Node = self.worker.env.event_manager.progress.saved()
        return saved

    def stop(self, error: str | None, cause: str | None) -> None:
        """End the execution now, as AWS does; a call that its current task waits for goes on to no effect."""
        self.worker.stop(stop_date=datetime.now(UTC), error=error, cause=cause)
        self.worker.end(Outcome("ABORTED", error=error, cause=cause))


class Worker(ExecutionWorker, ExecutionWorkerCommunication):
    """moto's worker, with a history that is kept and an end that is always told."""

    def __init__(
        self,
        request: Request,
        keep: Callable[[Event], None],
        ended: Callable[[Outcome], None],
        activities: dict[str, Any],
        map_runs: Any | None,
        redrive: Redrive | None,
    ) -> None:
        super().__init__(_details(request), self, None, activities)
        self._request = request
        self._map_runs = map_runs
        self._redrive = redrive
        self._ended = ended
        self._keep = keep
        self._ending = threading.Lock()
        self._is_over = False
        self.env = self._environment()

    def _environment(self) -> Any:
        env = super()._get_evaluation_environment()
        again = self._redrive
        progress = Progress(again.progress if again else None)
        last = again.last_id if again else 0
        env.event_manager = History(self._request.definition, self._keep, self._map_runs, progress, last)
        if not self._request.express:
            execution = env.states.context_object.context_object_data["Execution"]
            execution["RedriveCount"] = again.count if again else 0
            if again:
                execution["RedriveTime"] = _iso(again.moment)
        return env

    def _get_evaluation_environment(self) -> Any:
        return self.env

    def _get_evaluation_entrypoint(self) -> Any:
        return program(self._request.definition)

    def run(self) -> None:
        """Interpret the definition to its end."""
        try:
            if self._redrive is None:
                self._execution_logic()
            else:
                self._go_on(self._redrive)
        except Exception as error:
            log.exception("%s", self._request.arn)
            self.end(Outcome("FAILED", error="States.Runtime", cause=own_fault(error)))

    def _go_on(self, redrive: Redrive) -> None:
        self.env.event_history_context.source_event_id = redrive.last_id
        self.env.event_manager.add_event(
            context=self.env.event_history_context,
            event_type=HistoryEventType.ExecutionRedriven,
            event_details=EventDetails(executionRedrivenEventDetails={"redriveCount": redrive.count}),
        )
        self._get_evaluation_entrypoint().eval(self.env)
        self.terminated()

    def end(self, outcome: Outcome) -> None:
        """Close the history and tell the outcome, unless that is done."""
        with self._ending:
            if self._is_over:
                return
            self._is_over = True
        if not self.env.event_manager.closed:
            event_type, details = _LAST_EVENTS[outcome.status]
            told = {key: text for key, text in (("error", outcome.error), ("cause", outcome.cause)) if text is not None}
            self.env.event_manager.add_event(
                context=EventHistoryContext.of_program_start(),
                event_type=event_type,
                event_details=EventDetails(**{details: told if outcome.status != "TIMED_OUT" else {}}),
            )
        self._ended(outcome)

    def terminated(self) -> None:
        """Told by the interpreter when it is done."""
        self.end(_outcome(self.env.program_state(), self.env.states.get_input()))


def own_fault(error: Exception) -> str:
    """The cause of an execution that ends because the interpreter failed."""
    return f"the local Step Functions failed: {type(error).__name__}: {error}; see its log"


def new(
    request: Request,
    keep: Callable[[Event], None],
    ended: Callable[[Outcome], None],
    activities: dict[str, Any],
    map_runs: Any | None = None,
    redrive: Redrive | None = None,
) -> Run:
    """An execution that has not begun: call its worker's `run` on a thread.

    Args:
        keep: takes every event of the history as it happens.
        ended: takes the outcome, once.
        activities: the queues of all activities, by ARN.
        map_runs: where map runs are kept, as engine/distributed/state.py has it.
        redrive: what to go on from, when the execution is not new.
    """
    overrides.apply()
    return Run(request, Worker(request, keep, ended, activities, map_runs, redrive))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _details(request: Request) -> EvaluationDetails:
    return EvaluationDetails(
        aws_execution_details=AWSExecutionDetails(
            account=request.account, region=request.region, role_arn=request.role
        ),
        execution_details=ExecutionDetails(
            arn=request.arn,
            name=request.name,
            role_arn=request.role,
            inpt=json.loads(request.input),
            start_time=_iso(request.started),
        ),
        state_machine_details=StateMachineDetails(
            arn=request.machine,
            name=request.machine_name,
            typ=StateMachineType.EXPRESS if request.express else StateMachineType.STANDARD,
            definition=request.definition,
        ),
    )


def _outcome(state: ProgramState, value: Any) -> Outcome:
    if isinstance(state, ProgramEnded):
        return Outcome("SUCCEEDED", output=to_json_str(value))
    if isinstance(state, ProgramStopped):
        return Outcome("ABORTED", error=state.error, cause=state.cause)
    if isinstance(state, ProgramTimedOut):
        return Outcome("TIMED_OUT", error="States.Timeout")
    if isinstance(state, ProgramError):
        found = state.error or {}
        return Outcome("FAILED", error=found.get("error"), cause=found.get("cause"))
    raise RuntimeError(f"an execution ended as {type(state).__name__}")
