"""What an execution produced: the outputs of its processing steps, and its evaluation."""

from __future__ import annotations

from typing import Any

from pipelines.runs.executions import execution_id, list_steps
from project import aws, s3
from project.errors import DataError


def output_uri(arn: str, step: str, output: str) -> str:
    """Where a processing step of the execution wrote one of its outputs; an earlier execution's place if it was cached.

    Raises:
        DataError: the execution has not run that step, or the step has no such output.
    """
    for found in list_steps(arn):
        source = found.get("CacheHitResult", {}).get("SourcePipelineExecutionArn")
        job_arn = found.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if found["StepName"] == step and job_arn:
            name = str(job_arn).rsplit("/", 1)[-1]
            with aws.explained(f"describing processing job {name}"):
                job = aws.client("sagemaker").describe_processing_job(ProcessingJobName=name)
            for one in job["ProcessingOutputConfig"]["Outputs"]:
                if one["OutputName"] == output:
                    return str(one["S3Output"]["S3Uri"])
        elif found["StepName"] == step and source and source != arn:
            return output_uri(source, step, output)  # a cached step that does not name the job
    raise DataError(f"Execution {execution_id(arn)} has no output {output!r} of a step {step}.")


def evaluation(arn: str) -> dict[str, Any]:
    """The execution's evaluation.json.

    Raises:
        DataError: the execution did not get as far as Evaluate.
    """
    return s3.read_json(f"{output_uri(arn, 'Evaluate', 'evaluation')}/evaluation.json")
