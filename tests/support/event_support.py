"""What tests of events let happen: a version that is registered, and a pipeline that can be started."""

from __future__ import annotations

import json
from typing import Any

from job_support import REGISTRY, ROLE, unique

from localcloud.sagemaker.cloud import Cloud

SPECIFICATION = {
    "Containers": [{"Image": f"{REGISTRY}/pytorch-inference:2.6", "ModelDataUrl": "s3://some-bucket/model.tar.gz"}],
    "SupportedContentTypes": ["image/png"],
    "SupportedResponseMIMETypes": ["application/json"],
}


def group(cloud: Cloud) -> str:
    """A new model package group; its name."""
    name = unique("group")
    cloud.call("CreateModelPackageGroup", {"ModelPackageGroupName": name})
    return name


def package(cloud: Cloud, group_name: str) -> str:
    """A new version in the group; its ARN."""
    request = {"ModelPackageGroupName": group_name, "InferenceSpecification": SPECIFICATION}
    return str(cloud.call("CreateModelPackage", request)["ModelPackageArn"])


def create_pipeline(cloud: Cloud, *steps: dict[str, Any], parameters: list[str] | None = None) -> str:
    """Create a pipeline; its ARN."""
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": name, "Type": "String"} for name in parameters or []],
        "Steps": list(steps),
    }
    request = {
        "PipelineName": unique("pipeline"),
        "PipelineDefinition": json.dumps(definition),
        "ClientRequestToken": "t" * 32,
        "RoleArn": ROLE,
    }
    return str(cloud.call("CreatePipeline", request)["PipelineArn"])
