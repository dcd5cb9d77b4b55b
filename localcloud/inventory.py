"""What there is in one region of a local cloud: jobs, endpoints, executions, functions, as their services list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from localcloud.environment import Addresses

Clients = Callable[[str], Any]
Answer = dict[str, Any]
ENDED = {"Completed", "Succeeded", "SUCCEEDED", "CompletedWithFailures", "Failed", "FAILED", "Stopped"}
ENDED |= {"ABORTED", "TIMED_OUT"}
"""Statuses after which nothing more happens."""


@dataclass(frozen=True)
class Entry:
    """One job, endpoint, execution or function.

    Attributes:
        name: as `localcloud logs` takes it; that of an execution begins with its pipeline's or state machine's.
        created: ISO 8601, with the zone.
    """

    kind: str
    name: str
    status: str
    created: str
    arn: str


def clients(addresses: Addresses, region: str) -> Clients:
    """Makes boto3 clients of the local cloud by their service, each once."""
    import boto3  # half a second, which the other commands need not wait
    from botocore.config import Config

    urls = {"sagemaker": addresses.sagemaker, "stepfunctions": addresses.stepfunctions}

    @cache
    def made(service: str) -> Any:
        session = boto3.Session("test", "test", region_name=region)
        url = urls.get(service, addresses.ministack)
        return session.client(service, endpoint_url=url, config=Config(inject_host_prefix=False))

    return made


def _jobs(operation: str, answer: str, kind: str, prefix: str) -> Callable[[Clients], Iterator[Entry]]:
    """The resources of a List operation of SageMaker, newest first."""

    def listed(of: Clients) -> Iterator[Entry]:
        pages = of("sagemaker").get_paginator(operation).paginate(SortBy="CreationTime", SortOrder="Descending")
        for one in (one for page in pages for one in page[answer]):
            name, status = one[f"{prefix}Name"], one[f"{prefix}Status"]
            yield Entry(kind, name, status, _moment(one["CreationTime"]), one[f"{prefix}Arn"])

    return listed


def _pipeline_executions(of: Clients) -> Iterator[Entry]:
    sagemaker = of("sagemaker")
    found = []
    for page in sagemaker.get_paginator("list_pipelines").paginate():
        for pipeline in page["PipelineSummaries"]:
            runs = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline["PipelineName"])
            for one in (one for run in runs for one in run["PipelineExecutionSummaries"]):
                arn = one["PipelineExecutionArn"]
                name = f"{pipeline['PipelineName']}/{arn.rpartition('/')[2]}"
                moment = _moment(one["StartTime"])
                found.append(Entry("pipeline execution", name, one["PipelineExecutionStatus"], moment, arn))
    return iter(sorted(found, key=lambda one: one.created, reverse=True))


def _machine_executions(of: Clients) -> Iterator[Entry]:
    states = of("stepfunctions")
    found = []
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in (one for one in page["stateMachines"] if one["type"] == "STANDARD"):
            runs = states.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
            for one in (one for run in runs for one in run["executions"]):
                name = f"{machine['name']}/{one['name']}"
                moment = _moment(one["startDate"])
                found.append(Entry("execution", name, one["status"], moment, one["executionArn"]))
    return iter(sorted(found, key=lambda one: one.created, reverse=True))


def _functions(of: Clients) -> Iterator[Entry]:
    functions = [one for page in of("lambda").get_paginator("list_functions").paginate() for one in page["Functions"]]
    for one in sorted(functions, key=lambda one: str(one["LastModified"]), reverse=True):
        moment = _moment(datetime.strptime(one["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z"))
        yield Entry("function", one["FunctionName"], one.get("State", "Active"), moment, one["FunctionArn"])


KINDS: dict[str, Callable[[Clients], Iterator[Entry]]] = {
    "training job": _jobs("list_training_jobs", "TrainingJobSummaries", "training job", "TrainingJob"),
    "processing job": _jobs("list_processing_jobs", "ProcessingJobSummaries", "processing job", "ProcessingJob"),
    "transform job": _jobs("list_transform_jobs", "TransformJobSummaries", "transform job", "TransformJob"),
    "endpoint": _jobs("list_endpoints", "Endpoints", "endpoint", "Endpoint"),
    "pipeline execution": _pipeline_executions,
    "function": _functions,
    "execution": _machine_executions,
}


def _moment(when: datetime) -> str:
    return when.astimezone().isoformat(timespec="seconds")


def inventory(of: Clients, most: int | None = None, kind: str | None = None) -> list[Entry]:
    """What there is, by kind and newest first; of each kind at most `most`."""
    chosen = [kind] if kind else list(KINDS)
    return [entry for one in chosen for entry in islice(KINDS[one](of), most)]


def named(of: Clients, name: str, kind: str | None = None) -> list[Entry]:
    """What has that name or ARN; an execution may be named without its pipeline or state machine."""
    return [one for one in inventory(of, kind=kind) if name in (one.name, one.arn, one.name.rpartition("/")[2])]
