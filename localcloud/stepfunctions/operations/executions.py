"""Executions: started, stopped, described, listed, with their history."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from localcloud.stepfunctions import lifecycle
from localcloud.stepfunctions.cloud import RUNS_AT_ONCE, StatesCloud
from localcloud.stepfunctions.definition import variable_references
from localcloud.stepfunctions.engine.run import Request
from localcloud.stepfunctions.json_problems import problem
from localcloud.stepfunctions.lifecycle import KIND
from localcloud.stepfunctions.names import check_arn, qualifier, unqualified
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.listing import decoded, encoded, invalid_token, page, size
from localcloud.stepfunctions.operations.machines import missing, resolve
from localcloud.stepfunctions.protocol import AlreadyExistsError, Body, Resource, ServiceError, strict_json, validation
from localcloud.stepfunctions.redrive import redrive

INCLUDED = {"included": True}
OPEN_STATUSES = ("RUNNING", "PENDING_REDRIVE")


@operation("StartExecution")
def start(cloud: StatesCloud, request: Body) -> Body:
    """Begin an execution; the same name and input again is the same one while it runs."""
    text = _input(request)
    source, version, alias = resolve(cloud, request["stateMachineArn"])
    machine = unqualified(source.arn)
    made = lifecycle.request_for(cloud, source, machine, request.get("name"), text)
    if made.express:
        lifecycle.begin(cloud, made)
        return {"executionArn": made.arn, "startDate": made.started}
    with cloud.starting:
        if len(cloud.runs) >= RUNS_AT_ONCE:
            raise ServiceError("ExecutionLimitExceeded", f"{RUNS_AT_ONCE} executions run already.")
        try:
            body = _body(cloud, made, version, alias, request, source)
            execution = cloud.store.insert(KIND, made.arn, body, arn=made.arn, parent=machine, status="RUNNING")
        except AlreadyExistsError:
            found = existing(cloud, made.arn)
            if found.status != "RUNNING" or found.body["input"] != text:
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{made.arn}'") from None
            return {"executionArn": made.arn, "startDate": found.body["startDate"]}
        cloud.tell(execution)
        lifecycle.begin(cloud, made)
    return {"executionArn": made.arn, "startDate": execution.body["startDate"]}


def _input(request: Body) -> str:
    """The input of an execution, JSON text.

    Raises:
        ServiceError: InvalidExecutionInput.
    """
    text: str = request.get("input", "{}")
    try:
        strict_json.loads(text)
    except (ValueError, RecursionError) as error:
        told = problem(error) if text.strip() else "Invalid execution input."
        message = f"Invalid State Machine Execution Input: '{told}'"
        raise ServiceError("InvalidExecutionInput", message) from None
    return text


def _body(
    cloud: StatesCloud, made: Request, version: Resource | None, alias: Resource | None, request: Body, source: Resource
) -> Body:
    return {
        "name": made.name,
        "startDate": made.started,
        "input": made.input,
        "traceHeader": request.get("traceHeader"),
        "stateMachineVersionArn": version.arn if version else None,
        "stateMachineAliasArn": alias.arn if alias else None,
        "revision": cloud.store.keep_revision(source.body),
        "machineUpdated": source.modified,
    }


@operation("StartSyncExecution")
def start_sync(cloud: StatesCloud, request: Body) -> Body:
    """Run an EXPRESS execution to its end."""
    text = _input(request)
    source, _, _ = resolve(cloud, request["stateMachineArn"])
    if source.body["type"] != "EXPRESS":
        raise _not_of_this_type()
    made = lifecycle.request_for(cloud, source, unqualified(source.arn), request.get("name"), text)
    outcome = lifecycle.run_to_end(cloud, made)
    stopped = time.time()
    status = outcome.status if outcome.status in ("SUCCEEDED", "TIMED_OUT") else "FAILED"
    billed = max(100, 100 * math.ceil((stopped - made.started) * 10))
    return {
        "executionArn": made.arn,
        "stateMachineArn": request["stateMachineArn"],
        "name": made.name,
        "startDate": made.started,
        "stopDate": stopped,
        "status": status,
        "error": outcome.error,
        "cause": outcome.cause,
        "input": made.input,
        "inputDetails": INCLUDED,
        "output": outcome.output,
        "outputDetails": INCLUDED,
        "traceHeader": request.get("traceHeader"),
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": billed},
    }


def _not_of_this_type() -> ServiceError:
    message = "This operation is not supported by this type of state machine"
    return ServiceError("StateMachineTypeNotSupported", message)


def existing(cloud: StatesCloud, arn: str, or_child: bool = False) -> Resource:
    """The execution of that ARN; an EXPRESS one has none, but as the child of a map run.

    Raises:
        ServiceError: InvalidArn, ExecutionDoesNotExist.
    """
    is_child = or_child and "/" in arn
    found = cloud.store.find(KIND, check_arn(arn, "execution", *(("express",) if is_child else ())))
    if found is None:
        raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return found


@operation("StopExecution")
def stop(cloud: StatesCloud, request: Body) -> Body:
    """End an execution; one that has ended stays as it is."""
    execution = existing(cloud, request["executionArn"], or_child=True)
    run = cloud.runs.get(execution.arn)
    if run is not None:
        run.stop(request.get("error"), request.get("cause"))
        execution = existing(cloud, execution.arn)
    return {"stopDate": execution.body.get("stopDate") or time.time()}


@operation("DescribeExecution")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """The execution as it is now; only one that SUCCEEDED has output."""
    execution = existing(cloud, request["executionArn"], or_child=True)
    answer = {**_summary(execution), **redrive(execution)}
    for key in ("traceHeader", "error", "cause", "mapRunArn"):
        answer[key] = execution.body.get(key)
    if request.get("includedData") == "METADATA_ONLY":
        return {key: value for key, value in answer.items() if key != "cause"}
    answer |= {"input": execution.body["input"], "inputDetails": INCLUDED}
    if execution.status == "SUCCEEDED":
        answer |= {"output": execution.body["output"], "outputDetails": INCLUDED}
    return answer


def _summary(execution: Resource) -> Body:
    shown = ("name", "startDate", "stopDate", "stateMachineVersionArn", "stateMachineAliasArn")
    return {
        **{key: execution.body.get(key) for key in shown},
        "executionArn": execution.arn,
        "stateMachineArn": execution.body.get("stateMachineArn", execution.parent),
        "status": execution.status,
        "redriveCount": execution.body.get("redriveCount", 0),
        "redriveDate": execution.body.get("redriveDate"),
    }


def _child_summary(execution: Resource) -> Body:
    told = {"mapRunArn": execution.parent, "itemCount": execution.body["itemCount"]}
    return {**_summary(execution), **told}


@operation("ListExecutions")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """Executions of a state machine, of a version, of an alias or of a map run, newest first."""
    machine_arn, map_run = request.get("stateMachineArn", ""), request.get("mapRunArn")
    if bool(machine_arn) == bool(map_run):
        raise validation("Must provide a StateMachine ARN or MapRun ARN")
    statuses = (request["statusFilter"],) if request.get("statusFilter") else ()
    if map_run:
        if cloud.store.find("MapRun", check_arn(map_run, "mapRun")) is None:
            raise ServiceError("ResourceNotFound", f"Map Run Does Not Exist: '{map_run}'")
        return _page(cloud, request, map_run, _child_summary, statuses, lambda one: True)
    if request.get("redriveFilter") or "PENDING_REDRIVE" in statuses:
        raise validation("redriveFilter and the status PENDING_REDRIVE need a mapRunArn")
    arn = check_arn(machine_arn, "stateMachine")
    found = cloud.store.find_arn(arn)
    if found is None:
        raise missing(arn)
    machine = cloud.store.find_arn(unqualified(arn))
    if machine is None or machine.body["type"] != "STANDARD":
        raise _not_of_this_type()

    def is_wanted(one: Resource) -> bool:
        return not qualifier(arn) or arn in (one.body["stateMachineVersionArn"], one.body["stateMachineAliasArn"])

    return _page(cloud, request, machine.arn, _summary, statuses, is_wanted)


def _page(
    cloud: StatesCloud,
    request: Body,
    parent: str,
    summary: Callable[[Resource], Body],
    statuses: tuple[str, ...],
    is_wanted: Callable[[Resource], bool],
) -> Body:
    """A page of executions; a filter that the store does not know is laid on each page, which may make it shorter."""
    redriven = {"REDRIVEN": True, "NOT_REDRIVEN": False}.get(request.get("redriveFilter", ""))

    def shown(one: Resource) -> Body | None:
        fits = redriven is None or bool(one.body.get("redriveCount")) == redriven
        return summary(one) if fits and is_wanted(one) else None

    answer = page(cloud, request, KIND, shown, "executions", parent=parent, statuses=statuses, newest_first=True)
    return {**answer, "executions": [one for one in answer["executions"] if one is not None]}


@operation("GetExecutionHistory")
def history(cloud: StatesCloud, request: Body) -> Body:
    """The events of an execution."""
    execution = existing(cloud, request["executionArn"])
    newest_first = bool(request.get("reverseOrder"))
    try:
        after = int(place) if (place := decoded(request.get("nextToken"))) else None
    except ValueError:
        raise invalid_token() from None
    most = size(request)
    events = cloud.store.events(execution.arn, after, most + 1, newest_first)
    more = {"nextToken": encoded(events[most - 1]["id"])} if len(events) > most else {}
    return {"events": events[:most], **more}


@operation("DescribeStateMachineForExecution")
def describe_machine(cloud: StatesCloud, request: Body) -> Body:
    """The state machine as it was when the execution began."""
    execution = existing(cloud, request["executionArn"], or_child=True)
    child: Body = {}
    while execution.body.get("mapRunArn"):  # it has the states of its Map, and the rest from its parent
        run = cloud.store.find("MapRun", execution.parent)
        if run is None:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution.arn}'")
        label = run.body["stateMachineArn"].rpartition("/")[2]
        child = child or {
            "stateMachineArn": run.body["stateMachineArn"],
            "definition": run.body["definition"],
            "mapRunArn": run.arn,
            "label": label,
        }
        execution = existing(cloud, run.parent, or_child=True)
    machine = {**cloud.store.revision(execution.body["revision"]), **child}
    return {
        "stateMachineArn": execution.parent,
        **machine,
        "updateDate": execution.body["machineUpdated"],
        "variableReferences": variable_references(machine["definition"]) or None,
    }
