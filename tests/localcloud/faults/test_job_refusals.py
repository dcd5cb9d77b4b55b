"""What is refused: a job that cannot run here, which leaves no record, and what a running one does not admit."""

from __future__ import annotations

from typing import Any

import pytest
from job_support import (
    REGISTRY,
    ROLE,
    SLEEPS,
    Bucket,
    ServingModel,
    channel,
    described,
    processing,
    processing_output,
    several,
    start,
    training,
    transform,
)

from localcloud.isolation.offer import Isolation
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError


def refusal(cloud: Cloud, request: dict[str, Any], kind: str) -> tuple[str, str]:
    with pytest.raises(ServiceError) as error:
        cloud.call(f"Create{kind}", request)
    assert not cloud.call(f"List{kind}s", {})[f"{kind}Summaries"], "a refused job leaves no record"
    return error.value.code, error.value.message


def test_a_running_job_can_neither_be_deleted_nor_made_again(cloud: Cloud, bucket: Bucket) -> None:
    request = processing(bucket, SLEEPS)
    name = start(cloud, request)
    for operation, body in (("CreateProcessingJob", request), ("DeleteProcessingJob", {"ProcessingJobName": name})):
        with pytest.raises(ServiceError) as error:
            cloud.call(operation, body)
        assert error.value.code == "ResourceInUse"
    assert described(cloud, "ProcessingJob", name)["ProcessingJobStatus"] == "InProgress"


def test_data_that_is_not_there_is_refused_in_the_services_words(cloud: Cloud, bucket: Bucket) -> None:
    request = training(bucket, "pass")
    for uri in (bucket.uri("nothing/"), "s3://no-such-bucket-anywhere/data"):
        request["InputDataConfig"] = [channel("train", uri)]
        code, message = refusal(cloud, request, "TrainingJob")
        assert code == "ValidationException"
        assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data source.')
        assert ROLE in message


MANY = {"InstanceCount": 100, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
GROUPS = [{"InstanceGroupName": "a", "InstanceCount": 1, "InstanceType": "ml.m5.large"}] * 2
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "AppSpecification",
        {"ImageUri": f"{REGISTRY}/unknown:1", "ContainerEntrypoint": None},
        'write into localcloud.toml: [images."unknown"] and process = ',
    ),
    ("AppSpecification", {"ContainerEntrypoint": None}, "ContainerEntrypoint is missing"),
    ("ProcessingResources", {"ClusterConfig": MANY}, "InstanceCount is 100, and this machine runs at most"),
]


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"InstanceCount": 0}, "must be at least 1"),
        ({"InstanceGroups": GROUPS}, "give either InstanceGroups, or InstanceType and InstanceCount"),
        ({"InstanceCount": None, "InstanceType": None, "InstanceGroups": GROUPS}, "names a group twice: a, a"),
    ],
    ids=["none", "both", "groups of one name"],
)
def test_instances_that_make_no_job_are_refused(
    cloud: Cloud, bucket: Bucket, resources: dict[str, Any], said: str
) -> None:
    request = training(bucket, "pass")
    changed = {**request["ResourceConfig"], **resources}
    request["ResourceConfig"] = {name: value for name, value in changed.items() if value is not None}
    code, message = refusal(cloud, request, "TrainingJob")
    assert code == "ValidationException"
    assert said in message


def test_instances_that_cannot_find_each_other_are_refused(cloud: Cloud, bucket: Bucket) -> None:
    cloud.isolation = Isolation("none", "of this test")
    _, message = refusal(cloud, several(processing(bucket, "pass"), 2), "ProcessingJob")
    assert "this machine gives jobs no view of their own (of this test)" in message


@pytest.mark.parametrize(
    ("member", "changes", "said"), REFUSED, ids=["image", "entry point", "more instances than the machine bears"]
)
def test_a_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, member: str, changes: dict[str, Any], said: str
) -> None:
    request = processing(bucket, "pass")
    request[member] = {name: value for name, value in {**request[member], **changes}.items() if value is not None}
    code, message = refusal(cloud, request, "ProcessingJob")
    assert code == "ValidationException"
    assert said in message


@pytest.mark.parametrize("path", ["/opt/ml/model", "/etc", "/opt/ml/processing/../../etc"])
def test_a_local_path_outside_of_processing_is_refused(cloud: Cloud, bucket: Bucket, path: str) -> None:
    outputs = {"Outputs": [processing_output("result", bucket.uri("out"), path)]}
    _, message = refusal(cloud, processing(bucket, "pass", ProcessingOutputConfig=outputs), "ProcessingJob")
    assert "must begin with /opt/ml/processing/" in message


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints"}}, "CheckpointConfig"),
        ({"OutputDataConfig": {"S3OutputPath": "models"}}, "'models'"),
        ({"InputDataConfig": [channel("train", "s3://b/a", InputMode="Pipe")]}, "Pipe"),
        ({"InputDataConfig": [channel("train", "s3://b/a"), channel("train", "s3://b/a")]}, "twice"),
    ],
    ids=["checkpoints", "output", "pipe", "channel twice"],
)
def test_a_training_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, part: dict[str, Any], said: str
) -> None:
    code, message = refusal(cloud, training(bucket, "pass", **part), "TrainingJob")
    assert code == "ValidationException"
    assert said in message


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("DataProcessing",), {"JoinSource": "Input"}, "DataProcessing"),
        (("TransformInput", "SplitType"), "RecordIO", "SplitType"),
        (("TransformInput", "CompressionType"), "Gzip", "uncompressed"),
        (("MaxConcurrentTransforms",), 50, "must not exceed 100 MB"),
        (("ModelName",), "nothing", 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nothing".'),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_a_transform_job_that_cannot_run_here_is_refused(
    cloud: Cloud, bucket: Bucket, serving_model: ServingModel, path: tuple[str, ...], value: Any, said: str
) -> None:
    request = transform(bucket, serving_model("raise SystemExit"))
    bucket.put("in/a", b"a")
    target = request
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    code, message = refusal(cloud, request, "TransformJob")
    assert code == "ValidationException"
    assert said in message
