"""Models and the model registry through boto3 against the running server."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud
from job_support import REGISTRY, ROLE, Bucket, unique

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
IMAGE = f"{REGISTRY}/pytorch-inference:2.6-cpu-py312"


@pytest.fixture
def sagemaker(on_local_cloud: LocalCloud) -> Any:
    return boto3.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = unique("vehicles")
    sagemaker.create_model_package_group(
        ModelPackageGroupName=name,
        ModelPackageGroupDescription="vehicles",
        Tags=[{"Key": "team", "Value": "deliveries"}],
    )
    return name


def register(sagemaker: Any, group: str, **more: Any) -> str:
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
        "SupportedContentTypes": ["application/x-image"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification, **more}
    return str(sagemaker.create_model_package(**request)["ModelPackageArn"])


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_versions_count_up_and_a_deleted_number_does_not_come_again(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(2)]
    assert arns == [f"{ARN}:model-package/{group}/1", f"{ARN}:model-package/{group}/2"]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert register(sagemaker, f"{ARN}:model-package-group/{group}") == f"{ARN}:model-package/{group}/3"
    assert refusal(sagemaker.describe_model_package, ModelPackageName=arns[1]) == (
        "ValidationException",
        f"ModelPackage {arns[1]} does not exist.",
    )


def test_a_version_waits_for_approval_and_keeps_what_was_said_about_it(sagemaker: Any, group: str) -> None:
    statistics = {"ContentType": "application/json", "S3Uri": "s3://bucket/evaluation.json"}
    arn = register(
        sagemaker,
        group,
        ModelPackageDescription="first",
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        CustomerMetadataProperties={"commit": "abc", "data": "def"},
        MetadataProperties={"GeneratedBy": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p/execution/e"},
    )
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="looks right",
        CustomerMetadataProperties={"commit": "new", "by": "me"},
        CustomerMetadataPropertiesToRemove=["data"],
    )
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ModelPackageVersion"] == 1
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"] == "looks right"
    assert package["CustomerMetadataProperties"] == {"commit": "new", "by": "me"}
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"] == statistics
    assert package["LastModifiedTime"] >= package["CreationTime"]
    assert sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")["ModelPackageArn"] == arn
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Rejected"


def test_versions_are_listed_by_approval_and_order_in_pages(sagemaker: Any, group: str) -> None:
    for approval in ("Approved", "Rejected", "PendingManualApproval", "Approved"):
        register(sagemaker, group, ModelApprovalStatus=approval)

    def versions(**request: Any) -> list[int]:
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group, **request)
        return [item["ModelPackageVersion"] for page in pages for item in page["ModelPackageSummaryList"]]

    assert versions() == [1, 2, 3, 4]
    assert versions(ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending", MaxResults=1) == [
        4,
        1,
    ]
    assert group not in str(sagemaker.list_model_packages(MaxResults=100)["ModelPackageSummaryList"])


def test_a_registration_that_is_sent_again_makes_one_version(sagemaker: Any, group: str) -> None:
    arns = {register(sagemaker, group, ClientToken="once") for _ in range(2)}
    assert arns == {f"{ARN}:model-package/{group}/1"}


def test_a_group_is_made_once_and_deleted_only_when_it_is_empty(sagemaker: Any, group: str) -> None:
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupStatus"] == "Completed"
    arn = described["ModelPackageGroupArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "deliveries"}]
    names = [
        item["ModelPackageGroupName"]
        for item in sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    ]
    assert names == [group]
    code, message = refusal(sagemaker.create_model_package_group, ModelPackageGroupName=group)
    assert (code, "already exists" in message) == ("ValidationException", True)
    version = register(sagemaker, group)
    code, _ = refusal(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert code == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=version)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    code, message = refusal(sagemaker.describe_model_package_group, ModelPackageGroupName=group)
    assert (code, message) == ("ValidationException", f"ModelPackageGroup {arn} does not exist.")


@pytest.mark.parametrize(
    ("request_changes", "said"),
    [
        ({"ModelPackageGroupName": "nowhere"}, "model-package-group/nowhere does not exist"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "Tags"),
        ({"ModelPackageName": "both"}, "Exactly one of"),
        ({"CustomerMetadataProperties": {str(number): "x" for number in range(51)}}, "less than or equal to 50"),
    ],
    ids=["no-group", "tags", "two-names", "too-many-properties"],
)
def test_a_registration_that_cannot_be_is_refused(
    sagemaker: Any, group: str, request_changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError, match=said) as error:
        register(sagemaker, **{"group": group, **request_changes})
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []


def test_a_model_is_made_once_described_listed_and_deleted(sagemaker: Any, bucket: Bucket) -> None:
    name = unique("model")
    data = bucket.put("model.tar.gz", b"anything")
    container = {"Image": IMAGE, "ModelDataUrl": data, "Environment": {"A": "b"}}
    request = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    arn = sagemaker.create_model(**request)["ModelArn"]
    assert arn == f"{ARN}:model/{name}"
    assert refusal(sagemaker.create_model, **request) == (
        "ValidationException",
        f'Cannot create already existing model "{arn}".',
    )
    model = sagemaker.describe_model(ModelName=name)
    assert model["PrimaryContainer"] == {"Mode": "SingleModel", **container}
    assert [item["ModelArn"] for item in sagemaker.list_models(NameContains=name)["Models"]] == [arn]
    sagemaker.delete_model(ModelName=name)
    for call in (sagemaker.describe_model, sagemaker.delete_model):
        assert refusal(call, ModelName=name) == ("ValidationException", f'Could not find model "{arn}".')


def test_a_model_needs_its_data(sagemaker: Any, bucket: Bucket) -> None:
    missing = bucket.uri("models/job/output/model.tar.gz")
    container = {"Image": IMAGE, "ModelDataUrl": missing}
    said = refusal(sagemaker.create_model, ModelName=unique("model"), PrimaryContainer=container, ExecutionRoleArn=ROLE)
    assert said == ("ValidationException", f"Could not find model data at {missing}.")


def test_a_model_of_a_package_needs_its_approval(sagemaker: Any, bucket: Bucket, group: str) -> None:
    data = bucket.put("model.tar.gz", b"anything")
    container = {"Image": IMAGE, "ModelDataUrl": data}
    version = register(sagemaker, group, InferenceSpecification={"Containers": [container]})
    request = {"ModelName": unique("model"), "PrimaryContainer": {"ModelPackageName": version}}
    code, message = refusal(sagemaker.create_model, **request, ExecutionRoleArn=ROLE)
    assert (code, "PendingManualApproval" in message) == ("ValidationException", True)
    sagemaker.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    sagemaker.create_model(**request, ExecutionRoleArn=ROLE)
    described = sagemaker.describe_model(ModelName=request["ModelName"])["PrimaryContainer"]
    assert described == {"ModelPackageName": version, "Mode": "SingleModel", "Environment": {}}
