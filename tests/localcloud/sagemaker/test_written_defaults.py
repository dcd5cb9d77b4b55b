"""Describe and List hold what AWS's recorded answers hold for resources of that state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cloud_fixtures import eventually
from endpoint_support import Clients
from job_support import PYTORCH, ROLE, Bucket, channel, processing, training, transform, unique
from recorded_members import MEMBERS
from schedule_support import ANALYZER, Watched
from tuning_support import tuning

from localcloud.sagemaker import protocol
from localcloud.sagemaker.protocol import whole_milliseconds
from localcloud.sagemaker.written_defaults import WRITTEN, completed

FORMS = {
    "arn": lambda value: isinstance(value, str) and value.startswith("arn:aws:"),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, (int, float)),
    "text": lambda value: isinstance(value, str) and value != "",
    "time": lambda value: isinstance(value, float) and value == whole_milliseconds(value),
    "whole": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
FREE = {"Environment", "HyperParameters", "StaticHyperParameters"}


def members(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every member's path and value."""
    if isinstance(value, list):
        yield path, value
        for item in value:
            yield from members(item, f"{path}[]")
    elif isinstance(value, dict) and path.rpartition(".")[2] not in FREE:
        for name, item in value.items():
            yield from members(item, f"{path}.{name}".lstrip("."))
    else:
        yield path, value


def lacking(operation: str, answer: dict[str, Any]) -> list[str]:
    """The recorded members that an answer lacks, or has in another form."""
    found: dict[str, list[Any]] = {}
    for path, value in members(answer):
        found.setdefault(path, []).append(value)
    lines = [line.strip().split(" ", 1) for line in MEMBERS[operation].strip().splitlines()]
    wrong = []
    for path, form in lines:
        fits = FORMS.get(form, lambda value, form=form: json.dumps(value) == form)
        if not found.get(path) or not all(map(fits, found[path])):
            wrong.append(f"{path} {form}: {found.get(path)}")
    return wrong


class Answers:
    """Resources of a test, and what their Describe and List answers lack."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.lacking: dict[str, list[str]] = {}

    def look(self, kind: str, name: str, plural: str = "", member: str = "") -> dict[str, Any]:
        described: dict[str, Any] = self.cloud.call(f"Describe{kind}", {member or f"{kind}Name": name})
        listed = self.cloud.call(f"List{plural or kind + 's'}", {"NameContains": name})
        answers = {f"Describe{kind}": described, f"List{plural or kind + 's'}": listed}
        self.lacking |= {operation: lacking(operation, answer) for operation, answer in answers.items()}
        return described

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        running = ("InProgress", "Creating")
        status = "EndpointStatus" if kind == "Endpoint" else f"{kind}Status"
        eventually(lambda: self.cloud.call(f"Describe{kind}", {f"{kind}Name": name})[status] not in running)
        return self.look(kind, name)


def test_describe_and_list_hold_the_members_that_aws_recorded_for_that_state(
    watched: Watched, bucket: Bucket, endpoints: Clients
) -> None:
    cloud, answers = watched.cloud, Answers(watched.cloud)
    name = unique("bare")
    broken = {"Image": PYTORCH.replace("training", "inference"), "ModelDataUrl": bucket.put("bad/model.tar.gz", b"no")}
    cloud.call("CreateModel", {"ModelName": name, "PrimaryContainer": broken, "ExecutionRoleArn": ROLE})
    answers.look("Model", name)
    config = endpoints.config(name)
    answers.look("EndpointConfig", config)
    endpoint = endpoints.create(config)
    bucket.put("in/a", b"1")
    jobs = {
        "ProcessingJob": processing(bucket, "raise SystemExit(1)"),
        "TrainingJob": training(bucket, "raise SystemExit(1)"),
        "TransformJob": transform(bucket, name),
        "HyperParameterTuningJob": tuning(bucket, "absent.py", bucket.put("code.tar.gz", b"no")),
    }
    jobs["HyperParameterTuningJob"]["TrainingJobDefinition"]["InputDataConfig"] = [channel("a", bucket.uri("in/"))]
    ranges = jobs["HyperParameterTuningJob"]["HyperParameterTuningJobConfig"]["ParameterRanges"]
    ranges |= {
        "IntegerParameterRanges": [{"Name": "n", "MinValue": "2", "MaxValue": "3"}],
        "CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}],
    }
    for kind, request in jobs.items():
        cloud.call(f"Create{kind}", request)
    for kind, request in jobs.items():
        assert answers.ended(kind, request[f"{kind}Name"])[f"{kind}Status"] == "Failed"
    failed = answers.ended("Endpoint", endpoint)
    assert failed["EndpointStatus"] == "Failed"
    assert "ProductionVariants" not in failed
    for kind in ("DataQuality", "ModelQuality"):
        quality_job(watched, kind, name)
        answers.look(f"{kind}JobDefinition", name, member="JobDefinitionName")
    assert set(answers.lacking) == set(MEMBERS)
    assert {operation: found for operation, found in answers.lacking.items() if found} == {}


def quality_job(watched: Watched, kind: str, name: str) -> None:
    """A quality job definition with the members that are required, and no others."""
    definition = watched.definition()
    source: dict[str, Any] = definition["MonitoringInputs"][0]
    application = {"ImageUri": ANALYZER}
    if kind == "ModelQuality":
        source = {
            "EndpointInput": {**source["EndpointInput"], "InferenceAttribute": "a"},
            "GroundTruthS3Input": {"S3Uri": watched.bucket.uri("truth")},
        }
        application["ProblemType"] = "Regression"
    request = {
        "JobDefinitionName": name,
        f"{kind}AppSpecification": application,
        f"{kind}JobInput": source,
        f"{kind}JobOutputConfig": definition["MonitoringOutputConfig"],
        "JobResources": definition["MonitoringResources"],
        "RoleArn": ROLE,
    }
    watched.cloud.call(f"Create{kind}JobDefinition", request)


def test_what_a_request_says_is_not_written_over_and_what_is_not_there_is_not_made() -> None:
    given = {"PrimaryContainer": {"Mode": "MultiModel"}, "EnableNetworkIsolation": True}
    answer = completed("DescribeModel", given)
    assert answer == {"PrimaryContainer": {"Mode": "MultiModel", "Environment": {}}, "EnableNetworkIsolation": True}
    assert given == {"PrimaryContainer": {"Mode": "MultiModel"}, "EnableNetworkIsolation": True}
    assert completed("ListModels", given) is given


@pytest.mark.parametrize("operation", WRITTEN)
def test_every_default_is_a_member_of_the_service_model(operation: str) -> None:
    for path in WRITTEN[operation]:
        shape: Any = protocol.operation(operation).output_shape
        for part in re.findall(r"\w+|\[\]", path):
            shape = shape.member if part == "[]" else shape.members[part]


@pytest.mark.parametrize("moment", [0.0, 1795903315.123, 1795903315.9996, 1732831275.0])
def test_times_have_whole_milliseconds_and_those_that_have_them_stay(moment: float) -> None:
    whole = whole_milliseconds(moment)
    assert 0 <= moment - whole < 0.001
    assert whole_milliseconds(whole) == whole


def test_a_listing_up_to_a_resources_own_time_holds_it(watched: Watched) -> None:
    cloud = watched.cloud
    request = {"EndpointName": watched.endpoint}
    created = cloud.call("DescribeEndpoint", request)["CreationTime"]
    limits = {"CreationTimeAfter": created, "CreationTimeBefore": created}
    [found] = cloud.call("ListEndpoints", {"NameContains": watched.endpoint, **limits})["Endpoints"]
    assert found["EndpointName"] == watched.endpoint
