"""What every step of the pipeline is built from, and the few shapes that the steps share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep

from pipelines.definition import images
from pipelines.definition.parameters import Parameters
from project.names import Names

PROCESSING = "/opt/ml/processing"
CODE = f"{PROCESSING}/input/code"


@dataclass(frozen=True)
class Context:
    """One rendering: names, parameters, the session that captures requests, and where each job's code will be.

    `code` maps a job's name (extract, manifests, train, evaluate) to the S3 folder that holds its bundle.
    `scratch` is a folder of this rendering alone.
    """

    names: Names
    parameters: Parameters
    session: Any
    code: Mapping[str, str]
    scratch: Path

    @property
    def cache(self) -> CacheConfig:
        return CacheConfig(enable_caching=True, expire_after=self.names.settings.cache_expires_after)

    def output_uri(self, step: str, *parts: str) -> Join:
        """`s3://<bucket>/executions/<execution id>/<step>/<parts>`, known when the execution runs."""
        return Join(
            on="/",
            values=[self.names.uri("executions"), ExecutionVariables.PIPELINE_EXECUTION_ID, step, *parts],
        )


def service_retries() -> list[StepRetryPolicy]:
    """Retries of what the service may get wrong while it starts a step: three in about 35 seconds."""
    types = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
    return [StepRetryPolicy(exception_types=types, interval_seconds=5, backoff_rate=2.0, max_attempts=3)]


def job_retries() -> list[StepRetryPolicy]:
    """`service_retries`, and waiting about 13 minutes for an instance. What our own code gets wrong is not retried."""
    types = [
        SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
        SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT,
    ]
    capacity = SageMakerJobStepRetryPolicy(exception_types=types, interval_seconds=60, backoff_rate=1.5, max_attempts=5)
    return [*service_retries(), capacity]


def processing_step(
    context: Context,
    name: str,
    job: str,
    *,
    inputs: Mapping[str, Any],
    options: list[Any],
    outputs: Mapping[str, str],
    display_name: str,
    description: str,
    property_files: list[Any] | None = None,
    kept_of_failed: Collection[str] = (),
) -> ProcessingStep:
    """A step that runs `python3 run.py <job> <options> --output …` from the job's bundle.

    Each of `inputs` (name to S3 URI) appears under `/opt/ml/processing/input/<name>`. Each of `outputs` is the folder
    of that name under `/opt/ml/processing/output`; its value is where it goes below the step's folder in S3. No such
    place may begin with another one's text: S3Prefix inputs match strings, so `…/test` would bring `…/test_lst` too.
    Outputs in `kept_of_failed` are uploaded while the job runs, the others only when it succeeds.
    """
    processor = Processor(
        role=context.names.pipeline_role,
        image_uri=images.processing(context.names.settings.region),
        instance_count=1,
        instance_type=context.parameters.processing_instance_type,
        entrypoint=["python3", f"{CODE}/run.py"],
        volume_size_in_gb=30,
        max_runtime_in_seconds=3600,
        sagemaker_session=context.session,
    )
    arguments = processor.run(
        inputs=[_input(n, uri) for n, uri in {"code": context.code[job], **inputs}.items()],
        outputs=[
            _output(n, context.output_uri(name, place), "Continuous" if n in kept_of_failed else "EndOfJob")
            for n, place in outputs.items()
        ],
        arguments=[job, *options, "--output", f"{PROCESSING}/output"],
    )
    return ProcessingStep(
        name=name,
        step_args=arguments,
        display_name=display_name,
        description=description,
        cache_config=context.cache,
        property_files=property_files,
        retry_policies=job_retries(),
    )


def output_of(step: ProcessingStep, name: str) -> Any:
    """The S3 folder of one of a processing step's outputs, also when the step came from the cache."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _input(name: str, uri: Any) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=f"{PROCESSING}/input/{name}",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def _output(name: str, uri: Any, upload: str) -> ProcessingOutput:
    target = ProcessingS3Output(s3_uri=uri, local_path=f"{PROCESSING}/output/{name}", s3_upload_mode=upload)
    return ProcessingOutput(output_name=name, s3_output=target)
