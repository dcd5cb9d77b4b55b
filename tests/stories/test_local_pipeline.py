"""A pipeline with real jobs on a running local cloud, with boto3 and the aws command line as clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import LocalCloud, eventually
from commands import run_scones
from engine_support import CACHED, ROLE, at_least, condition, definition, fail, metric, output_of, processing

WRITE = (
    "import json; json.dump({'metrics': {'accuracy': 0.9}}, open('/opt/ml/processing/output/report/report.json', 'w'))"
)
COPY = "import shutil; shutil.copy('/opt/ml/processing/input/report/report.json', '/opt/ml/processing/output/copy')"
FILES = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]


@pytest.fixture
def bucket(on_local_cloud: LocalCloud) -> Iterator[str]:
    name = f"pipelines-{uuid.uuid4().hex[:12]}"
    boto3.resource("s3").create_bucket(Bucket=name)
    yield name
    boto3.resource("s3").Bucket(name).objects.delete()


def job(name: str, bucket: str, program: str, output: str, **members: Any) -> dict[str, Any]:
    """A Processing step that runs a line of Python."""
    step = processing(name, outputs=(output,), CacheConfig=CACHED, **members)
    arguments: dict[str, Any] = json.loads(json.dumps(step["Arguments"]).replace("s3://bucket", f"s3://{bucket}"))
    arguments["AppSpecification"]["ContainerEntrypoint"] = ["python3", "-c", program]
    return {**step, "Arguments": arguments}


def text(bucket: str) -> str:
    copy = job("Copy", bucket, COPY, "copy")
    copy["Arguments"]["ProcessingInputs"] = [
        {
            "InputName": "report",
            "S3Input": {
                "S3Uri": output_of("Evaluate", "report"),
                "LocalPath": "/opt/ml/processing/input/report",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ]
    bad = fail("TooLow", {"Std:Join": {"On": " ", "Values": ["accuracy", metric("Evaluate", "metrics.accuracy")]}})
    limit = {"Get": "Parameters.Threshold"}
    return definition(
        job("Evaluate", bucket, WRITE, "report", PropertyFiles=FILES),
        condition("Gate", at_least(metric("Evaluate", "metrics.accuracy"), limit), yes=[copy], no=[bad]),
        parameters=[{"Name": "Threshold", "Type": "Float", "DefaultValue": 0.8}],
    )


def run(client: Any, pipeline: str, **parameters: str) -> tuple[dict[str, Any], dict[str, Any]]:
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    arn = client.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=given)["PipelineExecutionArn"]
    asked = {"PipelineExecutionArn": arn}
    eventually(lambda: client.describe_pipeline_execution(**asked)["PipelineExecutionStatus"] != "Executing")
    steps = client.list_pipeline_execution_steps(**asked)["PipelineExecutionSteps"]
    return client.describe_pipeline_execution(**asked), {step["StepName"]: step for step in steps}


def test_a_pipeline_runs_passes_its_gate_hits_its_cache_and_fails_its_gate(bucket: str) -> None:
    client = boto3.client("sagemaker")
    name = f"p-{bucket}"
    client.create_pipeline(PipelineName=name, PipelineDefinition=text(bucket), RoleArn=ROLE)

    execution, steps = run(client, name)
    assert execution["PipelineExecutionStatus"] == "Succeeded", execution.get("FailureReason")
    assert list(steps) == ["Copy", "Gate", "Evaluate"]
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    copied = boto3.client("s3").get_object(Bucket=bucket, Key=f"{identity}/Copy/copy/report.json")["Body"].read()
    assert json.loads(copied) == {"metrics": {"accuracy": 0.9}}
    job_arn = steps["Evaluate"]["Metadata"]["ProcessingJob"]["Arn"]
    described = client.describe_processing_job(ProcessingJobName=job_arn.rpartition("/")[2])
    assert described["ProcessingJobStatus"] == "Completed"

    _, again = run(client, name)
    source = {"SourcePipelineExecutionArn": execution["PipelineExecutionArn"]}
    assert again["Evaluate"]["CacheHitResult"] == again["Copy"]["CacheHitResult"] == source

    failed, steps = run(client, name, Threshold="0.95")
    assert failed["PipelineExecutionStatus"] == "Failed"
    assert failed["FailureReason"].endswith("TooLow: accuracy 0.9")
    assert list(steps) == ["TooLow", "Gate", "Evaluate"]

    query = "PipelineExecutionSummaries[].PipelineExecutionStatus"
    aws = str(Path(sys.executable).with_name("aws"))
    listed = subprocess.run(
        [aws, "sagemaker", "list-pipeline-executions", "--pipeline-name", name, "--query", query],
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(listed.stdout) == ["Failed", "Succeeded", "Succeeded"]


def test_a_failing_job_is_the_reason_of_its_execution(bucket: str) -> None:
    client = boto3.client("sagemaker")
    name = f"f-{bucket}"
    broken = job("Broken", bucket, "import sys; print('Error: no such class', file=sys.stderr); sys.exit(1)", "x")
    client.create_pipeline(PipelineName=name, PipelineDefinition=definition(broken), RoleArn=ROLE)
    execution, steps = run(client, name)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "no such class" in steps["Broken"]["FailureReason"]


def unlucky(bucket: str, seconds: int) -> str:
    """A job that fails twice, as by the service's fault, with `seconds` between."""
    program = "open('/opt/ml/output/failure', 'w').write('InternalServerError: no power'); raise SystemExit(1)"
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": seconds, "MaxAttempts": 1}
    return definition(job("Unlucky", bucket, program, "x", RetryPolicies=[policy]))


def test_a_retry_is_a_line_for_whoever_waits(bucket: str, on_local_cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "scones.toml").write_text(f'project = "{bucket}"\n', encoding="utf-8")
    boto3.client("sagemaker").create_pipeline(
        PipelineName=bucket, PipelineDefinition=unlucky(bucket, seconds=3), RoleArn=ROLE
    )
    done = run_scones("start", "--wait", environment=on_local_cloud.environment, folder=tmp_path)
    reason = "InternalServerError: no power, exit code: 1"
    assert f"Unlucky          try 2 of 2 in 3 s: {reason}\n" in done.stdout
    assert done.returncode == 1
    assert f"failed: Unlucky: {reason}." in done.stderr
    status = run_scones("status", "--json", environment=on_local_cloud.environment, folder=tmp_path)
    (step,) = json.loads(status.stdout)["steps"]
    assert (step["status"], step["attempt"], step["reason"]) == ("Failed", 2, reason)


def test_the_status_of_a_step_that_waits_for_its_next_try_says_when_and_why(
    bucket: str, on_local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text(f'project = "{bucket}"\n', encoding="utf-8")
    client = boto3.client("sagemaker")
    client.create_pipeline(PipelineName=bucket, PipelineDefinition=unlucky(bucket, seconds=3600), RoleArn=ROLE)
    arn = client.start_pipeline_execution(PipelineName=bucket)["PipelineExecutionArn"]
    listed = partial(client.list_pipeline_execution_steps, PipelineExecutionArn=arn)
    eventually(lambda: any("FailureReason" in step for step in listed()["PipelineExecutionSteps"]))
    status = run_scones("status", environment=on_local_cloud.environment, folder=tmp_path)
    assert "try 2 of 2 in 3600 s: InternalServerError: no power" in status.stdout
    stopped = run_scones("stop", "--wait", environment=on_local_cloud.environment, folder=tmp_path)
    assert stopped.returncode == 0, stopped.stderr
    assert "Stopped" in stopped.stdout
