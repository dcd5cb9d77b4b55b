"""A local SageMaker for wrong requests and definitions, and what it must not say to them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from engine_support import (
    CACHED,
    ROLE,
    World,
    at_least,
    condition,
    definition,
    fail,
    metric,
    output_of,
    processing,
    reporting,
)
from mutations import definition_text, fault, request_body

from localcloud.sagemaker import registry
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.jobs.job_types import KINDS
from localcloud.sagemaker.server import shut_down

EITHER = {
    "Type": "Or",
    "Conditions": [
        {"Type": "In", "QueryValue": "a", "Values": ["b", {"Get": "Parameters.P"}]},
        {"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": 1, "RightValue": 1}},
    ],
}
DEFINITIONS: tuple[dict[str, Any], ...] = (
    json.loads(
        definition(
            reporting("judge", CacheConfig=CACHED, RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}]),
            processing("prepare", {"Get": "Parameters.P"}, outputs=("x",), DependsOn=["judge"], DisplayName="d"),
            condition(
                "gate",
                at_least(metric("judge", "a.b"), 0.5),
                EITHER,
                yes=[processing("deploy", output_of("prepare", "x"))],
                no=[fail("no", "m")],
            ),
            parameters=[
                {"Name": "P", "Type": "String", "DefaultValue": "a", "EnumValues": ["a"]},
                {"Name": "I", "Type": "Integer", "DefaultValue": 1},
            ],
            PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": "t"},
            MlflowConfig={"MlflowResourceArn": "arn"},
            Metadata={"a": 1},
        )
    ),
    json.loads(
        definition(
            {
                "Name": "function",
                "Type": "Lambda",
                "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "Arguments": {"a": 1},
                "OutputParameters": [{"OutputName": "o", "OutputType": "String"}],
            },
            {
                "Name": "callback",
                "Type": "Callback",
                "SqsQueueUrl": "http://127.0.0.1:9/q",
                "Arguments": {"a": {"Get": "Steps.function.OutputParameters['o']"}},
                "OutputParameters": [],
            },
            {"Name": "register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "g"}},
        )
    ),
)


class AnyError:
    """The error classes of a client: every name is that of all of them."""

    def __getattr__(self, name: str) -> type[Exception]:
        return ClientError


class EmptyCloud(dict[str, Any]):
    """Clients of services in which there is nothing."""

    exceptions = AnyError()

    def __contains__(self, service: object) -> bool:
        return True

    def __missing__(self, service: str) -> Any:
        return self

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("__"):
            raise AttributeError(operation)

        def refuse(**request: Any) -> Any:
            answer = {"Error": {"Code": "404", "Message": "Not Found"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, operation)

        return refuse


def faults_of_requests(world: World, seed: int, count: int) -> Counter[str]:
    """What the operations answer to `count` wrong requests, where that is neither an answer nor a refusal."""
    world.cloud._clients = EmptyCloud()
    world.create(json.dumps(DEFINITIONS[0]))
    draw, found = random.Random(seed), Counter[str]()
    for _ in range(count):
        operation = draw.choice(registry.implemented())
        if said := fault(world.cloud.call, operation, request_body(operation, draw)):
            found[f"{operation}: {said}"] += 1
    shut_down(world.cloud)
    for kind in KINDS:
        for job in world.cloud.store.page(kind.name)[0]:
            reason = str(job.body.get("FailureReason", ""))
            found[f"{kind.name}: {reason}"] += "the local SageMaker failed" in reason
    return +found


def faults_of_definitions(world: World, seed: int, count: int, runs: int) -> tuple[Counter[str], int]:
    """Likewise of wrong definitions; the first `runs` that are taken are run, with jobs that do nothing. And how many
    were run.
    """
    draw, found, ran = random.Random(seed), Counter[str](), 0
    for number in range(count):
        name = f"p{number}"
        request = {"PipelineName": name, "RoleArn": ROLE, "ClientRequestToken": "t" * 32}
        body = json.dumps({**request, "PipelineDefinition": definition_text(DEFINITIONS, draw)}).encode()
        if said := fault(world.cloud.call, "CreatePipeline", body):
            found[said] += 1
        elif ran < runs and world.cloud.store.find("pipeline", name):
            ran += 1
            if said := _fault_of_a_run(world, name):
                found[said] += 1
    return found, ran


def _fault_of_a_run(world: World, name: str) -> str:
    try:
        arn = world.start(name)
    except ServiceError as error:
        return "" if error.status < 500 else str(error)
    reason = str(world.wait(arn).get("FailureReason", ""))
    return reason if "the local SageMaker failed" in reason else ""
