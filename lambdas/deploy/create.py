"""Steps create_model and create_config: made under deterministic names, so that a repeated step finds its own work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from lambdas.deploy.endpoint import described_config, described_model
from lambdas.deploy.plan import VARIANT, DeployPlan, DeploySettings
from lambdas.service_errors import calling


def create_model(plan: DeployPlan, sagemaker: Any, host: DeploySettings) -> DeployPlan:
    """The model of the target version, as its package in the registry describes it."""
    with calling(f"creating model {plan['model']}"):
        made = _create_once(
            lambda: sagemaker.create_model(
                ModelName=plan["model"],
                PrimaryContainer={"ModelPackageName": plan["target_arn"]},
                ExecutionRoleArn=host.role_arn,
            ),
            lambda: described_model(sagemaker, plan["model"]),
        )
    return {"outcome": "ok", "made": [*plan["made"], "model"] if made else plan["made"]}


def create_config(plan: DeployPlan, sagemaker: Any, host: DeploySettings) -> DeployPlan:
    """The endpoint configuration with data capture of requests and answers."""
    with calling(f"creating endpoint configuration {plan['config']}"):
        made = _create_once(
            lambda: sagemaker.create_endpoint_config(
                EndpointConfigName=plan["config"],
                ProductionVariants=[
                    {
                        "VariantName": VARIANT,
                        "ModelName": plan["model"],
                        "InstanceType": host.instance_type,
                        "InitialInstanceCount": host.instance_count,
                        "InitialVariantWeight": 1.0,
                    }
                ],
                DataCaptureConfig=capture(host),
            ),
            lambda: described_config(sagemaker, plan["config"]),
        )
    return {"outcome": "ok", "made": [*plan["made"], "config"] if made else plan["made"]}


def capture(host: DeploySettings) -> dict[str, Any]:
    """Requests and answers to S3. Only the answer is JSON: a picture named as JSON would be stored mangled."""
    return {
        "EnableCapture": host.capture_percentage > 0,
        "InitialSamplingPercentage": host.capture_percentage,
        "DestinationS3Uri": host.capture_uri,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json", "application/jsonlines"]},
    }


def _create_once(create: Callable[[], Any], described: Callable[[], Any]) -> bool:
    """Whether this call made it; False when it was there already."""
    if described() is not None:
        return False
    try:
        create()
    except ClientError:
        if described() is None:
            raise
        return False  # another run was faster by a moment
    return True
