"""The quality gate, and what lies behind it: the registry for a good model, a named failure for any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.metadata_properties import MetadataProperties
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo, ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipelines.definition import gates
from pipelines.definition.context import Context, output_of, service_retries
from pipelines.definition.gates import Bound
from pipelines.definition.scoring_steps import EVALUATION_REPORT, model_builder

IMAGES = ["application/x-image", "image/png", "image/jpeg"]


def gate_step(context: Context, evaluate: ProcessingStep, register: ModelStep) -> ConditionStep:
    """CheckQuality: every condition must hold. A metric that is missing fails the step: nothing is registered."""
    bounds = gates.bounds(context.names.settings)
    return ConditionStep(
        name="CheckQuality",
        display_name="Good-enough",
        description="Lets the model through only if every metric of its evaluation keeps its bound.",
        conditions=[_condition(context, evaluate, bound) for bound in bounds],
        if_steps=[register],
        else_steps=[_fail_step(context, evaluate, bounds)],
    )


def _metric(evaluate: ProcessingStep, bound: Bound) -> JsonGet:
    return JsonGet(step_name=evaluate.name, property_file=EVALUATION_REPORT, json_path=bound.path)


def _condition(context: Context, evaluate: ProcessingStep, bound: Bound) -> Any:
    kind = ConditionGreaterThanOrEqualTo if bound.side == "least" else ConditionLessThanOrEqualTo
    return kind(left=_metric(evaluate, bound), right=context.parameters.bounds[bound.parameter])


def register_step(context: Context, evaluate: ProcessingStep, train: TrainingStep) -> ModelStep:
    """RegisterModel: a version of the project's group, which waits for a person."""
    settings, parameters = context.names.settings, context.parameters
    quality = {
        "model_statistics": _file(evaluate, "evaluation", "evaluation.json"),
        "model_constraints": _file(evaluate, "baseline", "model_quality_constraints.json"),
        "model_data_statistics": _file(evaluate, "baseline", "statistics.json"),
        "model_data_constraints": _file(evaluate, "baseline", "constraints.json"),
    }
    execution = ExecutionVariables.PIPELINE_EXECUTION_ARN
    customer_metadata: dict[str, Any] = {
        "commit": parameters.code_commit,
        "reason": parameters.start_reason,
        "data_sha256": parameters.input_archive_sha256,
        "reviewed": parameters.reviewed_pictures,
        "execution": execution,
        "classes": " ".join(settings.classes),  # a comma is outside the alphabet of this field
        "algorithm": settings.algorithm,
        "staging": parameters.staging,
    }
    arguments = model_builder(context, train).register(
        model_package_group_name=settings.model_package_group,
        content_types=IMAGES,
        response_types=["application/json"],
        inference_instances=[settings.instances.endpoint],
        transform_instances=[settings.instances.transform],
        approval_status=parameters.model_approval_status,
        model_metrics=ModelMetrics(**quality),
        drift_check_baselines=DriftCheckBaselines(**quality),
        metadata_properties=MetadataProperties(commit_id=parameters.code_commit, generated_by=execution),
        customer_metadata_properties=customer_metadata,
        domain="COMPUTER_VISION",
        task="IMAGE_CLASSIFICATION",
    )
    return ModelStep(
        name="RegisterModel",
        step_args=arguments,
        display_name="Register-model",
        description="Adds the model to the registry with its evaluation, and waits there for a person's approval.",
        retry_policies=service_retries(),
    )


def _file(evaluate: ProcessingStep, output: str, name: str) -> MetricsSource:
    return MetricsSource(
        content_type="application/json", s3_uri=Join(on="/", values=[output_of(evaluate, output), name])
    )


def _fail_step(context: Context, evaluate: ProcessingStep, bounds: Sequence[Bound]) -> FailStep:
    """Its message lists every metric with its bound; `gates.failed` finds those that are not kept."""
    values: list[Any] = []
    for bound in bounds:
        parameter = context.parameters.bounds[bound.parameter]
        values += ["; " if values else "The model is not good enough: ", bound.before_value, _metric(evaluate, bound)]
        values += [bound.before_bound, parameter, *([bound.reason] if bound.reason else [])]
    return FailStep(
        name="QualityTooLow",
        display_name="Quality-too-low",
        description="Ends the execution as failed: the model is not good enough, and nothing is registered.",
        error_message=Join(on="", values=values),
    )
