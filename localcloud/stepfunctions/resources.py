"""Can a Task state's Resource be called, on AWS and here?"""

from __future__ import annotations

from localcloud.stepfunctions.engine.sdk_names import operation_model

PREFIX = "arn:aws:states:::"
SAGEMAKER_JOBS = (
    "createHyperParameterTuningJob",
    "createLabelingJob",
    "createProcessingJob",
    "createTrainingJob",
    "createTransformJob",
)
SAGEMAKER = (*SAGEMAKER_JOBS, "createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint")
"""AWS: developer guide, "Create and manage Amazon SageMaker AI jobs with Step Functions"."""

NO_SYNC = (
    *("athena", "bedrock", "codebuild", "eks", "elasticmapreduce", "emr-containers", "emr-serverless", "databrew"),
    "mediaconvert",
)
"""Services whose jobs moto starts and does not wait for; refused, because the execution would go on at once."""


def problem(resource: str) -> str | None:
    """Why a service integration cannot be run, in AWS's words where AWS refuses it too; None when it can."""
    if not resource.startswith(PREFIX):
        return None
    called, _, pattern = resource.removeprefix(PREFIX).partition(".")
    service, _, action = called.partition(":")
    if service in NO_SYNC and pattern.startswith("sync"):
        return f"The local Step Functions cannot wait for jobs of {service}"
    if service == "sagemaker":
        if action not in SAGEMAKER or pattern not in ("", "sync") or (pattern and action not in SAGEMAKER_JOBS):
            return _not_recognized(resource)
        if action == "createLabelingJob":
            return "The local SageMaker has no labeling jobs"
    if service == "aws-sdk":
        name, _, operation = action.partition(":")
        if (
            pattern not in ("", "waitForTaskToken")
            or not operation[:1].islower()
            or not operation_model(name, operation)
        ):
            return _not_recognized(resource)
    return None


def _not_recognized(resource: str) -> str:
    reason = "The value is not a valid resource ARN, or the resource is not available in this region."
    return f"The resource provided {resource} is not recognized. {reason}"
