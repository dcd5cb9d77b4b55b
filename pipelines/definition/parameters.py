"""What an operator may change from one execution to the next, with the defaults that the settings give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString

from pipelines.definition import builtin_algorithm, gates, reviewed_pictures
from project.names import Names

CIFAR100_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
"""Of the published `cifar-100-python.tar.gz`."""

STAGING = "Staging"
STAGING_OFF = "off"
STAGINGS = ["instance", "serverless", STAGING_OFF]
APPROVAL_STATUSES = ["PendingManualApproval", "Approved", "Rejected"]


@dataclass(frozen=True)
class Parameters:
    """The pipeline's parameters, as the SDK's pipeline variables; `bounds` holds the quality gate's by name."""

    input_archive_uri: ParameterString
    input_archive_sha256: ParameterString
    reviewed_pictures: ParameterString
    bounds: dict[str, ParameterFloat]
    epochs: ParameterInteger
    learning_rate_steps: ParameterString | None
    processing_instance_type: ParameterString
    training_instance_type: ParameterString
    transform_instance_type: ParameterString
    transform_instance_count: ParameterInteger
    model_approval_status: ParameterString
    staging: ParameterString
    code_commit: ParameterString
    start_reason: ParameterString

    def declared(self) -> list[Any]:
        """Those that this pipeline has, in the order in which Studio's start form shows them."""
        every = [p for value in vars(self).values() for p in (value.values() if isinstance(value, dict) else [value])]
        return [parameter for parameter in every if parameter is not None]


def build(names: Names) -> Parameters:
    """The parameters with their defaults. Only the built-in algorithm takes its learning-rate steps from outside."""
    settings = names.settings
    archive = names.archive_uri(CIFAR100_SHA256)
    steps = builtin_algorithm.learning_rate_steps(settings.training_epochs)
    return Parameters(
        input_archive_uri=ParameterString("InputArchiveUri", archive),
        input_archive_sha256=ParameterString("InputArchiveSha256", CIFAR100_SHA256),
        reviewed_pictures=ParameterString(reviewed_pictures.PARAMETER, reviewed_pictures.none(names)),
        bounds={bound.parameter: ParameterFloat(bound.parameter, bound.default) for bound in gates.bounds(settings)},
        epochs=ParameterInteger("Epochs", settings.training_epochs),
        learning_rate_steps=ParameterString("LearningRateSteps", steps) if settings.algorithm == "builtin" else None,
        processing_instance_type=ParameterString("ProcessingInstanceType", settings.instances.processing),
        training_instance_type=ParameterString("TrainingInstanceType", settings.instances.training),
        transform_instance_type=ParameterString("TransformInstanceType", settings.instances.transform),
        transform_instance_count=ParameterInteger("TransformInstanceCount", settings.instances.transform_count),
        model_approval_status=ParameterString(
            "ModelApprovalStatus", APPROVAL_STATUSES[0], enum_values=APPROVAL_STATUSES
        ),
        staging=ParameterString(STAGING, settings.serving.staging, enum_values=STAGINGS),
        code_commit=ParameterString("CodeCommit", "not-recorded"),
        start_reason=ParameterString("StartReason", "started by hand"),
    )
