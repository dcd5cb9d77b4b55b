"""Map runs: what a distributed Map state does or did."""

from __future__ import annotations

from localcloud.stepfunctions import map_runs
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.names import check_arn
from localcloud.stepfunctions.operations import operation
from localcloud.stepfunctions.operations.executions import existing
from localcloud.stepfunctions.operations.listing import page
from localcloud.stepfunctions.protocol import Body, Resource, ServiceError, validation

LIMITS = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")


@operation("ListMapRuns")
def listing(cloud: StatesCloud, request: Body) -> Body:
    """The map runs of an execution, newest first."""
    execution = existing(cloud, request["executionArn"])
    return page(cloud, request, map_runs.KIND, _summary, "mapRuns", parent=execution.arn, newest_first=True)


def _summary(run: Resource) -> Body:
    return {**run.body, "mapRunArn": run.arn}


@operation("DescribeMapRun")
def describe(cloud: StatesCloud, request: Body) -> Body:
    """A map run and how many of its items and executions are where."""
    return map_runs.described(cloud, found(cloud, request["mapRunArn"]))


@operation("UpdateMapRun")
def update(cloud: StatesCloud, request: Body) -> None:
    """Change the limits of a map run that runs."""
    run = found(cloud, request["mapRunArn"])
    if not any(name in request for name in LIMITS):
        raise validation(f"At least one of {', '.join(LIMITS)} must be given")
    live = cloud.map_runs.get(run.arn)
    if live is None:
        raise validation(f"Map Run is {run.status} and cannot be updated: '{run.arn}'")
    live.update(*(request.get(name) for name in LIMITS))
    cloud.store.update(map_runs.KIND, run.name, map_runs.limits(live))


def found(cloud: StatesCloud, arn: str) -> Resource:
    """The map run of that ARN.

    Raises:
        ServiceError: InvalidArn, ResourceNotFound.
    """
    run = cloud.store.find(map_runs.KIND, check_arn(arn, "mapRun"))
    if run is None:
        raise ServiceError("ResourceNotFound", f"Map Run Does Not Exist: '{arn}'")
    return run
