"""Executions from their beginning to their end: in the store, on a thread, and again after a restart."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

from localcloud.stepfunctions.cloud import RUNS_AT_ONCE, StatesCloud
from localcloud.stepfunctions.engine import run as engine
from localcloud.stepfunctions.engine.run import Outcome, Request, Run
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
    )


def begin(cloud: StatesCloud, request: Request) -> Run:
    """Begin an execution that the caller has put into the store, or that is EXPRESS and in none.

    Raises:
        ServiceError: ExecutionLimitExceeded; too many run already.
    """
    run = _new(cloud, request)
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


def _new(cloud: StatesCloud, request: Request) -> Run:
    if len(cloud.runs) >= RUNS_AT_ONCE:
        raise ServiceError("ExecutionLimitExceeded", f"{RUNS_AT_ONCE} executions run already.")

    def keep(event: dict[str, Any]) -> None:
        if not request.express:
            cloud.store.append(request.arn, event)

    def ended(outcome: Outcome) -> None:
        run.outcome = outcome
        if not request.express:
            _record(cloud, run, outcome)
        cloud.runs.pop(request.arn, None)

    run = engine.new(request, keep, ended, cloud.queues)
    cloud.runs[request.arn] = run
    return run


def _record(cloud: StatesCloud, run: Run, outcome: Outcome) -> None:
    map_runs = run.environment.map_run_record_pool_manager.get_all()
    body = {
        "stopDate": time.time(),
        "output": outcome.output,
        "error": outcome.error,
        "cause": outcome.cause,
        "mapRuns": {
            "items": [one.list_item() for one in map_runs],
            "described": {one.map_run_arn: one.describe() for one in map_runs},
        },
    }
    try:
        cloud.tell(cloud.store.update(KIND, run.request.arn, body, status=outcome.status))
    except MissingError:
        return  # the state folder was emptied while it ran


def recover(cloud: StatesCloud) -> None:
    """End in the store what ran when the server was killed: an interpreter cannot go on in the middle."""
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
            cloud.store.append(execution.arn, event)
            change = {"stopDate": time.time(), "error": "States.Runtime", "cause": ENDED_WITH_SERVER}
            cloud.store.update(KIND, execution.name, change, status="FAILED")


def shut_down(cloud: StatesCloud) -> None:
    """Leave what runs to `recover`, which says of it what it says after a crash; new events go nowhere."""
    for run in list(cloud.runs.values()):
        run.environment.event_manager.closed = True
