"""A local SageMaker whose jobs do what a test says, for tests of the engine."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker import operations, registry
from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.engine import recovery
from localcloud.sagemaker.engine.step_types import DONE, JOBS, StepType
from localcloud.sagemaker.errors import ServiceError, validation

ROLE = "arn:aws:iam::000000000000:role/example-role"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
RUNNING = "InProgress"
PATIENCE = 20.0

Behaviour = Callable[[dict[str, Any]], "str | dict[str, Any]"]


def processing(name: str, *arguments: Any, outputs: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    """A Processing step; `arguments` go to its container, each output to s3://bucket/<execution>/<step>/<output>."""
    place = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Execution.PipelineExecutionId"}, name]}}
    step: dict[str, Any] = {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
        },
        **members,
    }
    if arguments:
        step["Arguments"]["AppSpecification"]["ContainerArguments"] = list(arguments)
    if outputs:
        step["Arguments"]["ProcessingOutputConfig"] = {
            "Outputs": [
                {
                    "OutputName": output,
                    "S3Output": {
                        "S3Uri": {"Std:Join": {"On": "/", "Values": [place, output]}},
                        "LocalPath": f"/opt/ml/processing/output/{output}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for output in outputs
            ]
        }
    return step


def output_of(step: str, name: str) -> dict[str, str]:
    """A Get of where a step's output is."""
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def condition(name: str, *conditions: Any, yes: Any = (), no: Any = (), **members: Any) -> dict[str, Any]:
    """A Condition step."""
    arguments = {"Conditions": list(conditions), "IfSteps": list(yes), "ElseSteps": list(no)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def fail(name: str, message: Any, **members: Any) -> dict[str, Any]:
    """A Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


def metric(step: str, path: str, file: str = "Report") -> dict[str, Any]:
    """A value in a property file."""
    return {"Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{file}"}, "Path": path}}


def reporting(name: str, **members: Any) -> dict[str, Any]:
    """A Processing step with the property file `Report` (report.json in its output `report`)."""
    files = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
    return processing(name, outputs=("report",), PropertyFiles=files, **members)


def at_least(left: Any, right: Any) -> dict[str, Any]:
    """The gate's condition."""
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}


def definition(*steps: Any, parameters: Any = (), **members: Any) -> str:
    """A definition's text."""
    return json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps), **members})


CACHED = {"Enabled": True, "ExpireAfter": "P30D"}


class FakeS3:
    """Objects by URI."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        uri = f"s3://{Bucket}/{Key}"
        if uri not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": f"no {Key}"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[uri].encode())}


class World:
    """A cloud with jobs that end at once, unless `behave` says otherwise.

    A behaviour gets the Create request and returns the job's status, or its status with more of its description, or
    raises the ServiceError that the request is refused with.
    """

    def __init__(self, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.cloud = Cloud(state, "http://127.0.0.1:9", "http://127.0.0.1:9")
        self.s3 = FakeS3()
        self.cloud._clients["s3", "", None] = self.s3
        self.behaviours: dict[str, Behaviour] = {}
        self.created: list[str] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.news: list[News] = []
        self.cloud.listeners.append(self.news.append)

    def behave(self, step: str, behaviour: Behaviour | str | dict[str, Any]) -> None:
        self.behaviours[step] = behaviour if callable(behaviour) else lambda request: behaviour

    def report(self, step: str, text: str) -> None:
        """When the step runs, it writes this text as its report.json."""

        def write(request: dict[str, Any]) -> str:
            uri = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
            self.s3.objects[f"{uri}/report.json"] = text
            return "Completed"

        self.behave(step, write)

    def create(self, text: str, name: str = "p", **members: Any) -> None:
        request = {"PipelineName": name, "PipelineDefinition": text, "RoleArn": ROLE, "ClientRequestToken": "t" * 32}
        self.cloud.call("CreatePipeline", {**request, **members})

    def start(self, name: str = "p", token: str = "", **members: Any) -> str:
        request = {"PipelineName": name, "ClientRequestToken": token or f"{time.monotonic_ns():032d}"}
        arn: str = self.cloud.call("StartPipelineExecution", {**request, **members})["PipelineExecutionArn"]
        return arn

    def describe(self, arn: str) -> dict[str, Any]:
        return self.cloud.call("DescribePipelineExecution", {"PipelineExecutionArn": arn})

    def wait(self, arn: str) -> dict[str, Any]:
        """Wait for the execution's end; its description."""
        self.until(lambda: self.describe(arn)["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
        thread = self.cloud.executions.get(arn.rpartition("/")[2])
        if thread:
            thread.join(PATIENCE)
        return self.describe(arn)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for news until `condition` holds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self.cloud.announced
            if condition():
                return
            assert time.monotonic() < deadline, "it did not happen"
            self.cloud.wait_for_news(seen, 0.1)

    def run(self, **members: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start and wait: the execution and its steps by name."""
        arn = self.start(**members)
        return self.wait(arn), self.steps(arn)

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        answer = self.cloud.call("ListPipelineExecutionSteps", {"PipelineExecutionArn": arn, "SortOrder": "Ascending"})
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def retry(self, arn: str) -> None:
        self.cloud.call("RetryPipelineExecution", {"PipelineExecutionArn": arn, "ClientRequestToken": "r" * 32})

    def stop(self, arn: str) -> None:
        self.cloud.call("StopPipelineExecution", {"PipelineExecutionArn": arn, "ClientRequestToken": "s" * 32})

    def end_job(self, step: str, status: str = "Completed", reason: str = "") -> None:
        """End the running job of a step, once it is there: a step is listed a moment before its job."""
        self.until(lambda: self._running_jobs(step))
        for kind, name in self._running_jobs(step):
            self._set(kind, name, status, {"FailureReason": reason} if reason else {})

    def _running_jobs(self, step: str) -> list[tuple[StepType, str]]:
        return [
            (kind, job.name)
            for kind in JOBS.values()
            for job in self.cloud.store.page(kind.metadata)[0]
            if job.body["Step"] == step and job.status not in DONE
        ]

    def _set(self, kind: StepType, name: str, status: str, members: dict[str, Any]) -> None:
        self.cloud.store.update(kind.metadata, name, {**members, kind.status: status}, status=status)
        self.cloud.announce(News(kind.metadata, name, status, "", {}))

    def create_job(self, kind: StepType, request: dict[str, Any]) -> dict[str, Any]:
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        step = tags["sagemaker:pipeline-step-name"]
        self.created.append(step)
        self.requests[step] = request
        result = self.behaviours.get(step, lambda request: "Completed")(request)
        members = result if isinstance(result, dict) else {"Status": result}
        arn = self.cloud.arn(f"job/{request[kind.name]}")
        body = {**request, **members, "Step": step, kind.arn: arn, kind.status: members["Status"]}
        self.cloud.store.insert(kind.metadata, request[kind.name], body, arn=arn, status=members["Status"])
        return {kind.arn: arn}

    def describe_job(self, kind: StepType, request: dict[str, Any]) -> dict[str, Any]:
        found = self.cloud.store.find(kind.metadata, request[kind.name])
        if found is None:
            raise validation("Could not find the job.")
        return {"CreationTime": found.created, **found.body}

    def stop_job(self, kind: StepType, request: dict[str, Any]) -> None:
        self._set(kind, request[kind.name], "Stopped", {})

    def create_model(self, request: dict[str, Any]) -> dict[str, Any]:
        self.created.append(request["ModelName"])
        arn = self.cloud.arn(f"model/{request['ModelName']}")
        self.cloud.store.insert("Model", request["ModelName"], {**request, "ModelArn": arn}, arn=arn)
        return {"ModelArn": arn}


def throttled(request: dict[str, Any]) -> str:
    raise ServiceError("ThrottlingException", "Rate exceeded")


@contextmanager
def world_on(state: Path) -> Iterator[World]:
    """A world; at the end its threads are waited for."""
    world = World(state)
    try:
        yield world
    finally:
        world.cloud.stopping.set()
        recovery.shut_down(world.cloud)
        world.cloud.store.close()


def install(patch: pytest.MonkeyPatch, current: Callable[[Cloud], World]) -> None:
    """Put the fakes in the place of the operations that run jobs."""
    operations.load()

    def set_handler(name: str, act: Callable[[World, dict[str, Any]], Any]) -> None:
        patch.setitem(registry.OPERATIONS.handlers, name, lambda cloud, request: act(current(cloud), request))

    for kind in JOBS.values():
        set_handler(kind.create, lambda world, request, kind=kind: world.create_job(kind, request))
        set_handler(kind.describe, lambda world, request, kind=kind: world.describe_job(kind, request))
        set_handler(kind.stop, lambda world, request, kind=kind: world.stop_job(kind, request))
    set_handler("CreateModel", lambda world, request: world.create_model(request))


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds of a test, the current one last."""
    found: list[World] = []
    install(monkeypatch, lambda cloud: next(world for world in found if world.cloud is cloud))
    return found


@pytest.fixture
def world(tmp_path: Path, worlds: list[World]) -> Iterator[World]:
    """The test's own world, on the state folder `state` of its temporary one."""
    with world_on(tmp_path / "state") as world:
        worlds.append(world)
        yield world


def statuses(steps: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Status by name of step."""
    return {name: step["StepStatus"] for name, step in steps.items()}
