"""A distributed Map state: from its fields to its output, with the events of the map run.

AWS: the order of events is that of recorded histories: MapRunStarted … MapRunSucceeded, or MapRunFailed with its error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from localcloud.stepfunctions.engine.distributed.batches import batches
from localcloud.stepfunctions.engine.distributed.dispatch import Job, MapRun
from localcloud.stepfunctions.engine.distributed.fields import EXCEEDED, failure, map_state
from localcloud.stepfunctions.engine.distributed.reader import items
from localcloud.stepfunctions.engine.distributed.writer import state_output, write
from localcloud.stepfunctions.engine.overrides.encoding import to_json_str


class MapRuns(Protocol):
    """Where map runs are kept and their children are executions."""

    def resumed(self, run: MapRun) -> bool:
        """Take over what the map run of this state did before its execution was redriven; False when there is none."""

    def keep(self, run: MapRun, status: str) -> None:
        """Write down how the map run is."""

    def begin(self, run: MapRun, job: Job) -> Any:
        """Begin a child execution, which calls `run.end` when it is over; returns what can be stopped."""


def evaluate(env: Any, given: Any, runs: MapRuns, is_resumed: bool) -> Any:
    """The output of the state that `given`, moto's evaluated input of a distributed Map, belongs to.

    Raises:
        FailureEventException: the map run failed.
    """
    state, jsonata = map_state(env.event_manager.definition, given.state_name)
    processor = state.get("ItemProcessor") or state["Iterator"]
    language = "JSONata" if jsonata else "JSONPath"
    definition = {"QueryLanguage": language, **{k: v for k, v in processor.items() if k != "ProcessorConfig"}}
    record = given.map_run_record
    run = MapRun(
        arn=record.map_run_arn,
        machine=record.map_state_machine_arn,
        definition=json.dumps(definition, ensure_ascii=False),
        express=processor.get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS",
        concurrency=record.max_concurrency,
        tolerated_count=given.tolerated_failure_count,
        tolerated_percentage=given.tolerated_failure_percentage,
        state="/".join((*getattr(env, "trail", ()), given.state_name)),
    )
    again = is_resumed and runs.resumed(run)
    _tell_start(env, run)
    runs.keep(run, "RUNNING")
    try:
        if not again:
            run.expect(_jobs(env, given, state, jsonata))
            runs.keep(run, "RUNNING")
        run.dispatch(lambda job: runs.begin(run, job), env.is_running)
        output = _output(env, run, state, jsonata)
        if run.exceeded():
            raise failure(env, EXCEEDED, "The specified tolerated failure threshold was exceeded")
    except Exception as error:
        runs.keep(run, "FAILED")
        pair = error.extract_error_cause_pair() if isinstance(error, FailureEventException) else None
        told = {name: text for name, text in zip(("error", "cause"), pair or (), strict=False) if text}
        _tell(env, HistoryEventType.MapRunFailed, mapRunFailedEventDetails=told)
        raise
    runs.keep(run, "SUCCEEDED" if env.is_running() else "ABORTED")
    _tell(env, HistoryEventType.MapRunSucceeded)
    return output


def _jobs(env: Any, given: Any, state: dict[str, Any], jsonata: bool) -> list[Job]:
    found = items(env, state["ItemReader"], jsonata) if "ItemReader" in state else given.input_items
    grouped = batches(env, state.get("ItemBatcher"), _selected(env, given, found), jsonata)
    return [Job(index, to_json_str(value), count) for index, (value, count) in enumerate(grouped)]


def _selected(env: Any, given: Any, found: list[Any]) -> Iterator[Any]:
    """The items as ItemSelector (or, in older definitions, Parameters) makes them."""
    selector = given.item_selector or given.parameters
    for index, item in enumerate(found):
        if selector is None:
            yield item
            continue
        frame = env.open_inner_frame()
        frame.states.context_object.context_object_data["Map"] = {"Item": {"Index": index, "Value": item}}
        frame.states.reset(input_value=env.stack[-1])
        frame.stack.append(env.stack[-1])
        selector.eval(frame)
        yield frame.stack[-1]
        env.delete_frame(frame)


def _output(env: Any, run: MapRun, state: dict[str, Any], jsonata: bool) -> Any:
    writer = state.get("ResultWriter", {})
    if "Resource" not in writer:
        return state_output(run.results(), writer.get("WriterConfig", {}))
    output = write(env, writer, run.results(), run.arn, jsonata)
    run.written = True
    return output


def _tell_start(env: Any, run: MapRun) -> None:
    if run.redrives:
        details = {"mapRunArn": run.arn, "redriveCount": run.redrives}
        _tell(env, HistoryEventType.MapRunRedriven, mapRunRedrivenEventDetails=details)
    else:
        _tell(env, HistoryEventType.MapRunStarted, mapRunStartedEventDetails={"mapRunArn": run.arn})


def _tell(env: Any, event_type: Any, **details: Any) -> None:
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=event_type,
        event_details=EventDetails(**details) if details else None,
    )
