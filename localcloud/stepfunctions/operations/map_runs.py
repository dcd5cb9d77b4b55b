"""Map runs: what a distributed Map state does, while its execution runs."""

from __future__ import annotations

from typing import Any

from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.lifecycle import KIND
from localcloud.stepfunctions.names import check_arn
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.executions import existing
from localcloud.stepfunctions.protocol import Body, ServiceError

COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")


@operation("ListMapRuns")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """The map runs of an execution."""
    execution = existing(cloud, request["executionArn"])
    runs = _live(cloud, execution.arn)
    return {"mapRuns": [run.list_item() for run in runs] or execution.body.get("mapRuns", {}).get("items", [])}


@operation("DescribeMapRun")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """A map run and how many of its items are where."""
    arn = check_arn(request["mapRunArn"], "mapRun")
    for arn_of_execution in list(cloud.runs):
        for run in _live(cloud, arn_of_execution):
            if run.map_run_arn == arn:
                return dict(run.describe())
    for execution in cloud.store.page(KIND, parent=_machine(arn))[0]:
        if arn in execution.body.get("mapRuns", {}).get("described", {}):
            return dict(execution.body["mapRuns"]["described"][arn])
    raise ServiceError("ResourceNotFound", f"Map Run Does Not Exist: '{arn}'")


@operation("UpdateMapRun")
def update(cloud: StatesCloud, request: Body) -> None:
    """Change the limits of a map run that runs."""
    for execution in list(cloud.runs):
        for run in _live(cloud, execution):
            if run.map_run_arn == request["mapRunArn"]:
                run.update(
                    max_concurrency=request.get("maxConcurrency"),
                    tolerated_failure_count=request.get("toleratedFailureCount"),
                    tolerated_failure_percentage=request.get("toleratedFailurePercentage"),
                )
                return
    raise ServiceError("ResourceNotFound", f"Map Run Does Not Exist: '{request['mapRunArn']}'")


def _live(cloud: StatesCloud, execution: str) -> list[Any]:
    run = cloud.runs.get(execution)
    return run.environment.map_run_record_pool_manager.get_all() if run else []


def _machine(arn: str) -> str:
    return arn.replace(":mapRun:", ":stateMachine:").split("/")[0]
