"""Staging: a registered model is tried out on an endpoint of its own, which is taken away again whatever happens.

    CheckStaging ─► StagingConfig ────────────┐
                    StagingServerlessConfig ──┴─► StagingEndpoint ─► TestStaging ─► RemoveStaging
                                                              always          always

Both configurations are made, which costs nothing, and the parameter Staging chooses the one that the endpoint gets: a
condition cannot choose between them, because no step can wait for whichever of two branches was taken. TestStaging runs
also when the endpoint did not come up: it is what writes the reason into the registry.
"""

from __future__ import annotations

from typing import Any

from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.conditions import ConditionEquals, ConditionNot
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow import StepDependency, TriggerCondition
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TransformStep

from pipelines.definition.context import Context, output_of, service_retries
from pipelines.definition.parameters import STAGING_OFF

VARIANT = "AllTraffic"
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
RESULTS = ("outcome", "pictures", "largest_difference", "p50_ms", "p95_ms", "captured")
"""What TestStaging puts out."""


def staging_step(
    context: Context, model: ModelStep, register: ModelStep, score: TransformStep, manifests: ProcessingStep
) -> ConditionStep:
    """CheckStaging: unless staging is off, everything that a model goes through between registration and a person."""
    config, serverless = _config_steps(context, model)
    endpoint = _endpoint_step(context, config, serverless)
    test = _test_step(context, endpoint, register, score, manifests)
    return ConditionStep(
        name="CheckStaging",
        display_name="Staging-wanted",
        description="Goes on to a staging endpoint, unless the parameter Staging is off.",
        conditions=[ConditionNot(ConditionEquals(left=context.parameters.staging, right=STAGING_OFF))],
        if_steps=[config, serverless, endpoint, test, _remove_step(context, test)],
        else_steps=[],
        depends_on=[register],
    )


def _name(context: Context, *more: Any) -> Join:
    """`<project>-staging-<execution>`, the name of the endpoint and what those of its configurations begin with."""
    return Join(on="-", values=[context.names.staging, ExecutionVariables.PIPELINE_EXECUTION_ID, *more])


def _config_steps(context: Context, model: ModelStep) -> tuple[EndpointConfigStep, EndpointConfigStep]:
    variant = {"VariantName": VARIANT, "ModelName": model.properties.ModelName, "InitialVariantWeight": 1.0}
    instance = {"InitialInstanceCount": 1, "InstanceType": context.names.settings.instances.endpoint}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": context.output_uri("StagingEndpoint", "captures"),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json", "application/jsonlines"]},
    }
    on_instance = EndpointConfigStep(
        name="StagingConfig",
        step_args=context.session.create_endpoint_config(
            name=_name(context, "instance"),
            production_variants=[variant | instance],
            data_capture_config_dict=capture,
        ),
        display_name="Staging-config",
        description="One instance of the type that the live endpoint has, with data capture.",
        retry_policies=service_retries(),
    )
    serverless = EndpointConfigStep(
        name="StagingServerlessConfig",
        step_args=context.session.create_endpoint_config(
            name=_name(context, "serverless"), production_variants=[variant | {"ServerlessConfig": SERVERLESS}]
        ),
        display_name="Staging-serverless-config",
        description="Serverless, which bills per request; without data capture, which such endpoints do not have.",
        retry_policies=service_retries(),
    )
    return on_instance, serverless


def _endpoint_step(context: Context, config: EndpointConfigStep, serverless: EndpointConfigStep) -> EndpointStep:
    return EndpointStep(
        name="StagingEndpoint",
        step_args=context.session.create_endpoint(
            endpoint_name=_name(context), config_name=_name(context, context.parameters.staging)
        ),
        display_name="Staging-endpoint",
        description="Brings the model into service under a name of this execution. Bills until RemoveStaging.",
        depends_on=[config, serverless],
    )


def _test_step(
    context: Context, endpoint: EndpointStep, register: ModelStep, score: TransformStep, manifests: ProcessingStep
) -> LambdaStep:
    return LambdaStep(
        name="TestStaging",
        lambda_func=Lambda(function_arn=context.names.staging_function),
        inputs={
            "step": "test",
            "execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
            "staging": context.parameters.staging,
            "package": register.properties.ModelPackageArn,
            "pictures": output_of(manifests, "test"),
            "predictions": score.properties.TransformOutput.S3OutputPath,
            "captures": context.output_uri("StagingEndpoint", "captures"),
            "result": context.output_uri("TestStaging", "staging.json"),
        },
        outputs=[LambdaOutput(output_name=name) for name in RESULTS],
        display_name="Test-staging",
        description="Its answers are ScoreTestSet's, a damaged picture is refused; else the version is rejected.",
        depends_on=[StepDependency(endpoint, TriggerCondition.ANY)],
    )


def _remove_step(context: Context, test: LambdaStep) -> LambdaStep:
    return LambdaStep(
        name="RemoveStaging",
        lambda_func=Lambda(function_arn=context.names.staging_function),
        inputs={"step": "remove", "execution": ExecutionVariables.PIPELINE_EXECUTION_ID},
        display_name="Remove-staging",
        description="Deletes the endpoint and its configurations, whatever became of the test.",
        depends_on=[StepDependency(test, TriggerCondition.ANY)],
    )
