"""What `scones start` asks of AWS, what it refuses before, and what it tells while it waits for the end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner, Result
from pipeline_calls import (
    CODE,
    EXECUTION,
    NAMES,
    PIPELINE,
    PIPELINE_ARN,
    describe_execution,
    describe_pipeline,
    failure,
    head_archive,
    list_code,
    list_steps,
    list_tags,
    run,
    step,
)
from service_stubs import Stubs

from pipelines.runs.inputs import upload_archive
from pipelines.runs.step_log import MOST_STREAMS
from pipelines.template_scripts import run_command
from project.errors import DataError, ExecutionFailedError, QualityGateError, UsageError

pytestmark = pytest.mark.usefixtures("golden_pipeline")


def test_an_archive_is_uploaded_under_its_checksum_and_started_with_it(
    stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "cifar.tar.gz"
    archive.write_bytes(b"pictures")
    digest = hashlib.sha256(b"pictures").hexdigest()
    place = {"Bucket": NAMES.bucket, "Key": f"data/{digest[:16]}/archive.tar.gz"}
    stubs["s3"].add_client_error("head_object", "404", "Not Found", 404, expected_params=place)
    stubs["s3"].add_response(
        "put_object", {}, {**place, "Body": ANY, "Metadata": {"sha256": digest}, "ChecksumAlgorithm": ANY}
    )
    describe_pipeline(stubs["sagemaker"])
    stubs["s3"].add_response("head_object", {}, place)
    stubs["sagemaker"].add_response(
        "start_pipeline_execution",
        {"PipelineExecutionArn": EXECUTION},
        {
            "PipelineName": PIPELINE,
            "PipelineParameters": [
                {"Name": "InputArchiveUri", "Value": f"s3://{NAMES.bucket}/data/{digest[:16]}/archive.tar.gz"},
                {"Name": "InputArchiveSha256", "Value": digest},
                {"Name": "Epochs", "Value": "8"},
                {"Name": "LearningRateSteps", "Value": "4,6"},
            ],
            "PipelineExecutionDisplayName": "first",
        },
    )
    result = run("start", "--archive", str(archive), "--parameter", "Epochs=8", "--display-name", "first")
    assert result.stdout == f"{EXECUTION}\n", result.exception


def test_the_same_bytes_have_one_address_whatever_the_file_is_called(stubs: Stubs, tmp_path: Path) -> None:
    """Caching goes by the address: the README's sample.tar.gz is what the demo drew under a name of its own."""
    found = []
    for name in ("sample.tar.gz", "sample-cifar-100-python.tar.gz"):
        (tmp_path / name).write_bytes(b"pictures")
        stubs["s3"].add_response("head_object", {})
        found.append(upload_archive(NAMES, str(tmp_path / name)))
    assert found[0] == found[1]


def test_an_archive_in_s3_is_read_for_its_checksum_only_if_none_is_recorded(stubs: Stubs) -> None:
    place = {"Bucket": "lake", "Key": "cifar.tar.gz"}
    stubs["s3"].add_response("head_object", {"Metadata": {"sha256": "abc"}}, place)
    found = upload_archive(NAMES, "s3://lake/cifar.tar.gz")
    assert found == {"InputArchiveUri": "s3://lake/cifar.tar.gz", "InputArchiveSha256": "abc"}


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("Epoch=3", "no parameter 'Epoch'"),
        ("Epochs=three", "not an integer"),
        ("ModelApprovalStatus=Yes", "not one of"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_before_anything_starts(
    stubs: Stubs, parameter: str, words: str
) -> None:
    describe_pipeline(stubs["sagemaker"])
    error = failure(run("start", "--parameter", parameter))
    assert isinstance(error, UsageError) and words in str(error)


def test_starting_without_a_pipeline_or_an_archive_says_what_to_do(
    stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe_pipeline(stubs["sagemaker"], None)
    assert "scones upsert" in str(failure(run("start")))
    describe_pipeline(stubs["sagemaker"])
    stubs["s3"].add_client_error("head_object", "404", "Not Found", 404)
    error = failure(run("start"))
    assert isinstance(error, DataError) and "--archive PATH" in str(error)


def test_a_start_by_someone_who_may_not_read_the_data_goes_on(
    stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    describe_pipeline(stubs["sagemaker"])
    stubs["s3"].add_client_error("head_object", "403", "Forbidden", 403)
    stubs["sagemaker"].add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION})
    result = run("start")
    assert result.stdout == f"{EXECUTION}\n" and "Not checked" in result.stderr


def start_and_wait(stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(tmp_path)  # outside of a checkout: no commit is recorded
    return run("start", "--wait")


def expect_start(stubs: Stubs) -> Stubber:
    describe_pipeline(stubs["sagemaker"])
    head_archive(stubs["s3"])
    expected = {"PipelineName": PIPELINE, "PipelineParameters": []}
    stubs["sagemaker"].add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    return stubs["sagemaker"]


def test_waiting_prints_each_transition_once(stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = expect_start(stubs)
    extract = step("ExtractCifar", "Succeeded", CacheHitResult={"SourcePipelineExecutionArn": EXECUTION})
    for status, listed in (
        ("Executing", []),
        ("Executing", [extract, step("Train", "Starting")]),
        ("Executing", [extract, step("Train", "Executing")]),
        ("Succeeded", [extract, step("Train", "Succeeded")]),
    ):
        describe_execution(sagemaker, status)
        list_steps(sagemaker, *listed)
    result = start_and_wait(stubs, tmp_path, monkeypatch)
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        "ExtractCifar     Succeeded  cached",
        "Train            Executing",
        "Train            Succeeded  12.3 s",
    ]
    assert "Succeeded in 90.0 s" in result.stderr


def test_a_failed_job_is_told_with_its_last_log_lines_and_the_next_command(
    stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = expect_start(stubs)
    job = "pipelines-abcdefghijkl-Train-1234567890"
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{job}"
    describe_execution(sagemaker, "Failed")
    metadata = {"TrainingJob": {"Arn": arn}}
    list_steps(sagemaker, step("Train", "Failed", FailureReason="ClientError: no images.", Metadata=metadata))
    stubs["logs"].add_response(
        "describe_log_streams",
        {"logStreams": [{"logStreamName": f"{job}/algo-1-1"}]},
        {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": f"{job}/", "limit": MOST_STREAMS},
    )
    stubs["logs"].add_response(
        "get_log_events",
        {
            "events": [
                {"timestamp": 1, "message": "reading train.lst\n"},
                {"timestamp": 2, "message": "Customer Error: no images"},
            ]
        },
        {
            "logGroupName": "/aws/sagemaker/TrainingJobs",
            "logStreamName": f"{job}/algo-1-1",
            "limit": 20,
            "startFromHead": False,
        },
    )
    result = start_and_wait(stubs, tmp_path, monkeypatch)
    error = failure(result)
    assert isinstance(error, ExecutionFailedError) and "Train: ClientError: no images." in str(error)
    assert "scones resume abcdefghijkl --wait" in str(error)
    assert "    reading train.lst\n    Customer Error: no images\n" in result.stderr


def test_a_closed_gate_exits_with_three(stubs: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = expect_start(stubs)
    describe_execution(sagemaker, "Failed")
    failed = step("QualityTooLow", "Failed", Metadata={"Fail": {"ErrorMessage": "Accuracy 0.5 is below 0.8"}})
    list_steps(sagemaker, step("CheckQuality", "Succeeded", Metadata={"Condition": {"Outcome": "False"}}), failed)
    error = failure(start_and_wait(stubs, tmp_path, monkeypatch))
    assert isinstance(error, QualityGateError) and error.exit_code == 3


def test_the_template_script_upserts_with_its_role_and_tags_then_starts_and_waits(stubs: Stubs) -> None:
    sagemaker, role = stubs["sagemaker"], "arn:aws:iam::123456789012:role/ci"
    list_code(stubs["s3"], *(path for path, _ in CODE.files))
    describe_pipeline(sagemaker)
    list_tags(sagemaker, ("project", "scones-unlimited"))
    added = {"ResourceArn": PIPELINE_ARN, "Tags": [{"Key": "team", "Value": "routing"}]}
    sagemaker.add_response("add_tags", {}, added)
    sagemaker.add_response(
        "update_pipeline",
        {"PipelineArn": PIPELINE_ARN, "PipelineVersionId": 2},
        {"PipelineName": PIPELINE, "PipelineDefinition": ANY, "PipelineDescription": ANY, "RoleArn": role},
    )
    expect_start(stubs)
    describe_execution(sagemaker, "Succeeded")
    list_steps(sagemaker, step("Train", "Succeeded"))
    tags = json.dumps(added["Tags"])
    result = CliRunner().invoke(run_command, ["-n", "pipelines.pipeline", "-role-arn", role, "-tags", tags])
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        f"Pipeline {PIPELINE_ARN}",
        f"Execution {EXECUTION}",
        "Train            Succeeded  12.3 s",
    ]
