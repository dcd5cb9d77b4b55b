"""Executions from their beginning to their end: in the store, on a thread, and again after a restart."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from localcloud.stepfunctions.cloud import RUNS_AT_ONCE, StatesCloud
from localcloud.stepfunctions.engine import run as engine
from localcloud.stepfunctions.engine.progress import of_events
from localcloud.stepfunctions.engine.run import Outcome, Redrive, Request, Run
from localcloud.stepfunctions.protocol import MissingError, Resource, ServiceError

KIND = "Execution"
ENDED_WITH_SERVER = "The local cloud ended while the execution ran."


def request_for(cloud: StatesCloud, source: Resource, machine_arn: str, name: str | None, text: str) -> Request:
    """What an execution of `source`, a state machine or a version of it, is begun with."""
    express = source.body["type"] == "EXPRESS"
    made = name or str(uuid.uuid4())
    kind, tail = ("express", f":{uuid.uuid4()}") if express else ("execution", "")
    return Request(
        arn=cloud.arn(f"{kind}:{source.body['name']}:{made}{tail}"),
        name=made,
        machine=machine_arn,
        machine_name=source.body["name"],
        role=source.body["roleArn"],
        definition=source.body["definition"],
        input=text,
        express=express,
        account=cloud.account,
        region=cloud.region,
        started=time.time(),
        logging=source.body["loggingConfiguration"],
    )


def redriven(cloud: StatesCloud, execution: Resource, definition: str) -> Redrive:
    """Write down that an execution that ended runs again, and return what it goes on from."""
    body, now = execution.body, time.time()
    progress = body.get("progress")
    if progress is None:  # the server was killed
        events = cloud.store.events(execution.arn, None, -1, newest_first=False)
        progress = of_events(events, json.loads(definition)["States"], json.loads)
    count = body.get("redriveCount", 0) + 1
    ended = dict.fromkeys(("stopDate", "output", "error", "cause", "progress"))
    cloud.store.update(KIND, execution.name, {**ended, "redriveCount": count, "redriveDate": now}, status="RUNNING")
    last = cloud.store.events(execution.arn, None, 1, newest_first=True)
    return Redrive(count, now, progress, last[0]["id"] if last else 0)


def begin(
    cloud: StatesCloud,
    request: Request,
    ended: Callable[[Outcome], None] | None = None,
    redrive: Redrive | None = None,
) -> Run:
    """Begin an execution that the caller has put into the store, or that is EXPRESS and in none.

    Args:
        ended: is told the outcome, when that is in the store.
        redrive: what to go on from, when the execution ran before.

    Raises:
        ServiceError: ExecutionLimitExceeded; too many run already.
    """
    run = _new(cloud, request, ended, redrive)
    threading.Thread(target=run.worker.run, name=request.arn, daemon=True).start()
    return run


def run_to_end(cloud: StatesCloud, request: Request) -> Outcome:
    """Run an EXPRESS execution on this thread.

    Raises:
        ServiceError: ExecutionLimitExceeded; too many run already.
    """
    run = _new(cloud, request)
    run.worker.run()
    if run.outcome is None:
        raise RuntimeError(f"{request.arn} has no outcome")
    return run.outcome


def _new(
    cloud: StatesCloud,
    request: Request,
    listener: Callable[[Outcome], None] | None = None,
    redrive: Redrive | None = None,
) -> Run:
    if len(cloud.runs) >= RUNS_AT_ONCE and not request.map_run:
        raise ServiceError("ExecutionLimitExceeded", f"{RUNS_AT_ONCE} executions run already.")
    redrives = redrive.count if redrive else 0

    def keep(event: dict[str, Any]) -> None:
        if not request.express:
            cloud.store.insist(lambda: cloud.store.append(request.arn, event))
        if request.logging:
            cloud.logs.tell(request, event, redrives)

    def ended(outcome: Outcome) -> None:
        run.outcome = outcome
        if not request.express or request.map_run:
            _record(cloud, run, outcome)
        cloud.closed_tokens.extend(run.environment.callback_pool_manager._pool)
        cloud.runs.pop(request.arn, None)
        if listener is not None:
            listener(outcome)

    run = engine.new(request, keep, ended, cloud.queues, cloud.keeper(cloud, request), redrive)
    cloud.runs[request.arn] = run
    return run


def _record(cloud: StatesCloud, run: Run, outcome: Outcome) -> None:
    body: dict[str, Any] = {
        "stopDate": time.time(),
        "output": outcome.output,
        "error": outcome.error,
        "cause": outcome.cause,
    }
    if outcome.status != "SUCCEEDED" and not run.request.express:
        body["progress"] = run.progress
    try:
        found = cloud.store.insist(lambda: cloud.store.update(KIND, run.request.arn, body, status=outcome.status))
    except MissingError:
        return  # the state folder was emptied while it ran
    if not run.request.map_run:
        cloud.tell(found)


def recover(cloud: StatesCloud) -> None:
    """End in the store what ran when the server was killed: an interpreter cannot go on in the middle."""
    for map_run in cloud.store.page("MapRun", statuses=("RUNNING",))[0]:
        cloud.store.update("MapRun", map_run.name, {"stopDate": time.time()}, status="FAILED")
    for execution in cloud.store.page(KIND, statuses=("RUNNING",))[0]:
        last = cloud.store.events(execution.arn, None, 1, newest_first=True)
        event = {
            "id": last[0]["id"] + 1 if last else 1,
            "previousEventId": last[0]["id"] if last else 0,
            "type": "ExecutionFailed",
            "timestamp": time.time(),
            "executionFailedEventDetails": {"error": "States.Runtime", "cause": ENDED_WITH_SERVER},
        }
        with cloud.store.transaction():
            if ":express:" not in execution.arn:
                cloud.store.append(execution.arn, event)
            change = {"stopDate": time.time(), "error": "States.Runtime", "cause": ENDED_WITH_SERVER}
            cloud.store.update(KIND, execution.name, change, status="FAILED")


def shut_down(cloud: StatesCloud) -> None:
    """Leave what runs to `recover`, which says of it what it says after a crash; new events go nowhere."""
    for run in list(cloud.runs.values()):
        run.environment.event_manager.closed = True
    cloud.logs.flush()
