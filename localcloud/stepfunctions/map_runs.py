"""Map runs in the store, with their child executions, which are executions like others.

AWS: API reference, DescribeMapRun, ListExecutions (`mapRunArn`) and DescribeExecution; developer guide, "Redriving Map
Runs": children that succeeded stay, STANDARD children go on where they failed, EXPRESS ones are run anew.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Any

from localcloud.stepfunctions import lifecycle
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.engine.distributed.dispatch import Job, MapRun
from localcloud.stepfunctions.engine.distributed.writer import MapChild
from localcloud.stepfunctions.engine.run import Outcome, Request, Run
from localcloud.stepfunctions.protocol import Body, Resource

KIND = "MapRun"
NAMES = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"),
    *("failuresNotRedrivable", "pendingRedrive"),
)


class Keeper:
    """Keeps the map runs of one execution."""

    def __init__(self, cloud: StatesCloud, request: Request) -> None:
        self._cloud = cloud
        self._request = request

    def resumed(self, run: MapRun) -> bool:
        """Let `run` be the one that its state had before a redrive; False when that one had read no items."""
        newest_first = self._cloud.store.page(KIND, parent=self._request.arn)[0]
        resource = next((one for one in newest_first if one.body["place"] == run.state), None)
        if resource is None or not _is_unfinished(resource):
            return False
        run.arn, run.machine = resource.arn, resource.body["stateMachineArn"]
        run.redrives = resource.body["redriveCount"] + 1
        jobs: list[Job] = []
        done: dict[int, tuple[MapChild, Job]] = {}
        for child in self._cloud.store.page(lifecycle.KIND, parent=run.arn)[0]:
            job = Job(child.body["index"], child.body["input"], child.body["itemCount"], child.arn)
            if child.status == "SUCCEEDED":
                done[job.index] = (_child(child), job)
            else:
                jobs.append(job)
        begun = {job.index for job in jobs} | set(done)
        jobs += [Job(*waiting) for waiting in resource.body["waiting"] if waiting[0] not in begun]
        run.expect(sorted(jobs, key=lambda job: job.index), done)
        return True

    def keep(self, run: MapRun, status: str) -> None:
        """Write down how the map run is."""
        now = time.time()
        body: Body = {**limits(run), **run.counts(), "waiting": [[j.index, j.input, j.items] for j in run.waiting]}
        if status != "RUNNING":
            self._cloud.store.update(KIND, run.arn, {**body, "stopDate": now}, status=status)
            self._cloud.map_runs.pop(run.arn, None)
            return
        self._cloud.map_runs[run.arn] = run
        found = self._cloud.store.find(KIND, run.arn)
        if found is not None:
            if found.body["redriveCount"] < run.redrives:
                body |= {"redriveCount": run.redrives, "redriveDate": now, "stopDate": None}
            self._cloud.store.update(KIND, run.arn, body, status=status)
            return
        body |= {
            "executionArn": self._request.arn,
            "stateMachineArn": run.machine,
            "startDate": now,
            "redriveCount": 0,
            "place": run.state,
            "definition": run.definition,
        }
        self._cloud.store.insert(KIND, run.arn, body, arn=run.arn, parent=self._request.arn, status=status)

    def begin(self, run: MapRun, job: Job) -> Run:
        """Begin a child execution, or go on with one that failed before."""
        machine = run.machine.split(":", 6)[6]
        name = str(uuid.uuid4())
        kind, tail = ("express", f":{uuid.uuid4()}") if run.express else ("execution", "")
        request = replace(
            self._request,
            arn=self._cloud.arn(f"{kind}:{machine}:{name}{tail}"),
            name=name,
            machine=run.machine,
            machine_name=machine,
            definition=run.definition,
            input=job.input,
            express=run.express,
            started=time.time(),
            map_run=run.arn,
        )
        earlier = self._cloud.store.find(lifecycle.KIND, job.arn) if job.arn else None

        def ended(outcome: Outcome) -> None:
            found = self._cloud.store.find(lifecycle.KIND, request.arn)
            if found is not None:
                run.end(job.index, _child(found))
            else:  # the state folder was emptied while it ran
                run.end(job.index, MapChild(outcome.status, job.input, run.machine, request.arn, request.name))

        if earlier is not None and not run.express:
            request = replace(request, arn=earlier.arn, name=earlier.body["name"], started=earlier.body["startDate"])
            return lifecycle.begin(
                self._cloud, request, ended, lifecycle.redriven(self._cloud, earlier, run.definition)
            )
        if earlier is not None:
            self._cloud.store.delete(lifecycle.KIND, earlier.name)
        body = {
            "name": name,
            "startDate": request.started,
            "input": job.input,
            "stateMachineArn": run.machine,
            "mapRunArn": run.arn,
            "itemCount": job.items,
            "index": job.index,
        }
        store = self._cloud.store
        store.insert(lifecycle.KIND, request.arn, body, arn=request.arn, parent=run.arn, status="RUNNING")
        return lifecycle.begin(self._cloud, request, ended)


def described(cloud: StatesCloud, resource: Resource) -> Body:
    """A map run as DescribeMapRun shows it, now."""
    live = cloud.map_runs.get(resource.arn)
    body = {**resource.body, **(limits(live) | live.counts() if live else {})}
    counts = {kind: dict.fromkeys(NAMES, 0) | body[kind] for kind in ("itemCounts", "executionCounts")}
    return {**body, **counts, "mapRunArn": resource.arn, "status": resource.status}


def limits(run: MapRun) -> Body:
    """What UpdateMapRun changes."""
    return {
        "maxConcurrency": run.concurrency,
        "toleratedFailureCount": run.tolerated_count,
        "toleratedFailurePercentage": run.tolerated_percentage,
    }


def _is_unfinished(resource: Resource) -> bool:
    """Whether the map run had read its items and did not succeed."""
    has_items = bool(resource.body["executionCounts"].get("total") or resource.body["waiting"])
    return resource.status != "SUCCEEDED" and has_items


def _child(execution: Resource) -> MapChild:
    body: dict[str, Any] = execution.body
    return MapChild(
        status=execution.status,
        input=body["input"],
        machine=body["stateMachineArn"],
        arn=execution.arn,
        name=body["name"],
        output=body.get("output"),
        error=body.get("error"),
        cause=body.get("cause"),
        started=body["startDate"],
        stopped=body.get("stopDate"),
        redrives=body.get("redriveCount", 0),
    )
