"""Which containers a model is served with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker import models, operations
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.errors import ServiceError

ROLE = "arn:aws:iam::000000000000:role/any"
IMAGES = [f"763104351884.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{version}" for version in ("1", "2")]
TWO = [{"Image": image, "Environment": {"LEVEL": "package", "IMAGE": image}} for image in IMAGES]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    operations.load()
    cloud = Cloud(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    yield cloud
    cloud.store.close()


def package(cloud: Cloud, containers: list[dict[str, Any]], approval: str = "Approved") -> str:
    """The ARN of a version with these containers."""
    cloud.call("CreateModelPackageGroup", {"ModelPackageGroupName": "group"})
    arn: str = cloud.call(
        "CreateModelPackage",
        {
            "ModelPackageGroupName": "group",
            "ModelApprovalStatus": approval,
            "ClientToken": "t" * 36,
            "InferenceSpecification": {
                "Containers": containers,
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    )["ModelPackageArn"]
    return arn


def test_a_package_stands_for_all_its_containers(account: Cloud) -> None:
    """PipelineModel.register of the SDK makes one package of several containers."""
    model = {"PrimaryContainer": {"ModelPackageName": package(account, TWO), "Environment": {"LEVEL": "model"}}}
    found = models.containers(models.container(account, model))
    assert [(one["Image"], one["Environment"]) for one in found] == [
        (image, {"LEVEL": "model", "IMAGE": image}) for image in IMAGES
    ]


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ({"Containers": []}, "1 to 15 containers, and this one has 0"),
        ({"Containers": TWO * 8}, "this one has 16"),
        ({"Containers": TWO, "InferenceExecutionConfig": {"Mode": "Direct"}}, "InferenceExecutionConfig Serial"),
        ({"Containers": [TWO[0], {**TWO[1], "Mode": "MultiModel"}]}, "Mode SingleModel only"),
    ],
)
def test_what_cannot_be_a_pipeline_of_containers_is_refused(account: Cloud, model: Any, problem: str) -> None:
    with pytest.raises(ServiceError, match=problem):
        models.container(account, model)


def test_a_model_data_that_is_missing_is_named_whichever_container_has_it(account: Cloud) -> None:
    class Empty:
        def head_object(self, **request: str) -> None:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")  # type: ignore[typeddict-item]

    account._clients["s3", "", None] = Empty()
    second = {**TWO[1], "ModelDataUrl": "s3://bucket/second/model.tar.gz"}
    with pytest.raises(ServiceError, match=r"Could not find model data at s3://bucket/second/model\.tar\.gz"):
        account.call("CreateModel", {"ModelName": "m", "Containers": [TWO[0], second], "ExecutionRoleArn": ROLE})
