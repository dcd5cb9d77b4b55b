"""Looking at endpoints, models and packages: "does not exist" is an answer here, not an error."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.service_errors import calling

Description = dict[str, Any]


def described_endpoint(sagemaker: Any, name: str) -> Description | None:
    """The describe answer, or None when there is no such endpoint."""
    with calling(f"looking at endpoint {name}"):
        return _found(sagemaker.describe_endpoint, EndpointName=name)


def described_config(sagemaker: Any, name: str) -> Description | None:
    """The describe answer, or None when there is no such endpoint configuration."""
    with calling(f"looking at endpoint configuration {name}"):
        return _found(sagemaker.describe_endpoint_config, EndpointConfigName=name)


def described_model(sagemaker: Any, name: str) -> Description | None:
    """The describe answer, or None when there is no such model."""
    with calling(f"looking at model {name}"):
        return _found(sagemaker.describe_model, ModelName=name)


def described_package(sagemaker: Any, arn: str) -> Description | None:
    """The describe answer, or None when there is no such version."""
    with calling(f"looking at model package {arn}"):
        return _found(sagemaker.describe_model_package, ModelPackageName=arn)


def package_behind(sagemaker: Any, config: str) -> str | None:
    """ARN of the model package that an endpoint of this configuration serves; None when it serves something else."""
    found = described_config(sagemaker, config)
    if found is None:
        return None
    model = described_model(sagemaker, found["ProductionVariants"][0]["ModelName"])
    if model is None:
        return None
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", [])]
    return next((c["ModelPackageName"] for c in containers if "ModelPackageName" in c), None)


def approved_versions(sagemaker: Any, group: str) -> list[str]:
    """ARNs of the group's approved, completed packages, newest version first."""
    with calling(f"listing approved versions of {group}"):
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
        )
        found = [item for page in pages for item in page["ModelPackageSummaryList"]]
    usable = [item for item in found if item["ModelPackageStatus"] == "Completed"]
    return [item["ModelPackageArn"] for item in sorted(usable, key=lambda item: -item["ModelPackageVersion"])]


def _found(describe: Any, **named: str) -> Description | None:
    try:
        answer: Description = describe(**named)
    except ClientError as error:
        # What does not exist is a ValidationException to SageMaker; a describe by a valid name has no other.
        if error.response["Error"]["Code"] in {"ValidationException", "ResourceNotFound"}:
            return None
        raise
    return answer
