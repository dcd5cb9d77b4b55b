"""The project's own pipeline on the local cloud, driven as a user drives it: `scones`, `aws`, boto3 and the SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud
from commands import BIN, run, run_scones

QUICK = ("--parameter", "Epochs=2", "--parameter", "LearningRateSteps=1", "--parameter", "AccuracyThreshold=0.1")
CACHEABLE = {"ExtractCifar", "BuildManifests", "Train", "ScoreTestSet", "Evaluate"}
Scones = Callable[..., Any]


@pytest.fixture(scope="module")
def project(deployed: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Scones:
    """`scones …` in a folder with settings and a small archive; the pipeline is upserted."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "scones.toml").write_text('algorithm = "builtin"\n', encoding="utf-8")
    environment = {**deployed.environment, "OMP_NUM_THREADS": "1"}

    def scones(*words: str, expect: int = 0) -> Any:
        done = run_scones(*words, environment=environment, folder=folder)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    scones("data", "sample", "--train-per-class", "80", "--test-per-class", "20", "--output", "small.tar.gz")
    scones("upsert")
    return scones


@pytest.fixture(scope="module")
def first(project: Scones) -> dict[str, Any]:
    """The first execution, run to its end."""
    done = project("start", "--archive", "small.tar.gz", *QUICK, "--wait", "--json")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def aws(cloud: LocalCloud, *words: str) -> Any:
    done = run(BIN / "aws", *words, "--output", "json", environment=cloud.environment, folder=cloud.state)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_execution_ends_with_a_registered_model(first: dict[str, Any]) -> None:
    assert first["status"] == "Succeeded"
    assert [step["name"] for step in first["steps"]] == [
        *("ExtractCifar", "BuildManifests", "Train", "CreateModel", "ScoreTestSet", "Evaluate"),
        *("CheckQuality", "RegisterModel", "CheckStaging"),
        *("StagingConfig", "StagingServerlessConfig", "StagingEndpoint", "TestStaging", "RemoveStaging"),
    ]


def test_the_aws_command_line_shows_what_happened(deployed: LocalCloud, first: dict[str, Any]) -> None:
    listed = aws(deployed, "sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", first["arn"])[
        "PipelineExecutionSteps"
    ]
    assert {step["StepStatus"] for step in listed} == {"Succeeded"}
    training = next(step["Metadata"]["TrainingJob"]["Arn"] for step in listed if step["StepName"] == "Train")
    job = aws(deployed, "sagemaker", "describe-training-job", "--training-job-name", training.rsplit("/", 1)[-1])
    assert job["TrainingJobStatus"] == "Completed"
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} >= {"validation:accuracy"}
    registration = next(
        step["Metadata"]["RegisterModel"]["Arn"] for step in listed if step["StepName"] == "RegisterModel"
    )
    group = ("--model-package-group-name", "scones-unlimited")
    packages = aws(deployed, "sagemaker", "list-model-packages", *group)["ModelPackageSummaryList"]
    assert registration in {package["ModelPackageArn"] for package in packages}
    package = aws(deployed, "sagemaker", "describe-model-package", "--model-package-name", registration)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    told = package["CustomerMetadataProperties"]
    assert told["execution"] == first["arn"]
    assert told["classes"] == "bicycle motorcycle"
    assert len(told["data_sha256"]) == 64
    assert (told["staging_outcome"], told["staging_pictures"]) == ("passed", "40 of 40")


def test_a_second_start_takes_every_cacheable_step_from_the_cache(project: Scones, first: dict[str, Any]) -> None:
    again = json.loads(project("start", "--archive", "small.tar.gz", *QUICK, "--wait", "--json").stdout)
    assert {step["name"] for step in again["steps"] if step["cached"]} == CACHEABLE


def test_a_changed_parameter_misses_from_its_step_on(project: Scones, first: dict[str, Any]) -> None:
    changed = ("--parameter", "Epochs=1", *QUICK[2:])
    other = json.loads(project("start", "--archive", "small.tar.gz", *changed, "--wait", "--json").stdout)
    assert {step["name"] for step in other["steps"] if step["cached"]} == {"ExtractCifar", "BuildManifests"}


def test_a_gate_that_says_no_exits_3_and_registers_nothing(
    project: Scones, deployed: LocalCloud, first: dict[str, Any]
) -> None:
    def registered() -> int:
        group = ("--model-package-group-name", "scones-unlimited")
        return len(aws(deployed, "sagemaker", "list-model-packages", *group)["ModelPackageSummaryList"])

    before = registered()
    strict = (*QUICK[:4], "--parameter", "AccuracyThreshold=1.0")
    done = project("start", "--archive", "small.tar.gz", *strict, "--wait", expect=3)
    assert "QualityTooLow" in done.stdout
    assert "must be at least 1.0" in done.stderr
    assert registered() == before


def test_an_upsert_without_a_change_makes_no_new_version(project: Scones, deployed: LocalCloud) -> None:
    def versions() -> int:
        listed = aws(deployed, "sagemaker", "list-pipeline-versions", "--pipeline-name", "scones-unlimited")
        return len(listed["PipelineVersionSummaries"])

    before = versions()
    assert "nothing" in (done := project("upsert")).stdout + done.stderr or "unchanged" in done.stdout + done.stderr
    assert project("diff", "--exit-code").returncode == 0
    assert versions() == before


def test_a_parameter_of_the_wrong_type_is_refused_before_anything_starts(project: Scones) -> None:
    done = project("start", "--parameter", "Epochs=many", expect=2)
    assert "Parameter Epochs is 'many': not an integer." in done.stderr


def test_the_unmodified_sdk_upserts_starts_and_waits(deployed: LocalCloud, tmp_path: Path) -> None:
    script = tmp_path / "with_the_sdk.py"
    script.write_text(
        """
import warnings
warnings.simplefilter("ignore")
import boto3
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

bucket = "scones-unlimited-000000000000-us-east-1"
role = "arn:aws:iam::000000000000:role/scones-unlimited-pipeline"
session = PipelineSession(boto_session=boto3.Session(), default_bucket=bucket)
processor = Processor(
    role=role, image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2",
    instance_count=1, instance_type="ml.m5.large", sagemaker_session=session,
    entrypoint=["python3", "-c", "open('/opt/ml/processing/output/said.txt', 'w').write('hello')"],
)
output = ProcessingOutput(output_name="said", s3_output=ProcessingS3Output(
    s3_uri=f"s3://{bucket}/sdk", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"))
step = ProcessingStep(name="Say", step_args=processor.run(inputs=[], outputs=[output]))
pipeline = Pipeline(name="with-the-sdk", steps=[step], sagemaker_session=session)
pipeline.upsert(role_arn=role)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=60)
print(execution.list_steps()[0]["StepStatus"])
""",
        encoding="utf-8",
    )
    done = run(BIN / "python", str(script), environment=deployed.environment, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Succeeded"
    said = aws(
        deployed, "s3api", "list-objects-v2", "--bucket", "scones-unlimited-000000000000-us-east-1", "--prefix", "sdk"
    )
    assert [entry["Key"] for entry in said["Contents"]] == ["sdk/said.txt"]
