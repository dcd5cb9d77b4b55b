"""Every call that the pipeline's verbs make, checked by botocore's own model of the service on its way out and back."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner, Result

from pipelines import build as building
from pipelines import deploy, executions, follow, pipeline
from pipelines.bundle import Bundle
from pipelines.inputs import archive_parameters
from pipelines.template_scripts import run_command
from scones import cloud
from scones.cli import scones
from scones.errors import CloudError, DataError, ExecutionFailedError, QualityGateError, SconesError, UsageError
from scones.names import Names
from scones.settings import Settings

NAMES = Names(Settings(), "123456789012")
PIPELINE = "scones-unlimited"
PIPELINE_ARN = NAMES.pipeline_arn
EXECUTION = f"{PIPELINE_ARN}/execution/abcdefghijkl"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GOLDEN = json.loads((Path(__file__).parent / "golden" / "definition-builtin.json").read_text(encoding="utf-8"))
CODE = Bundle("extract", (("run.py", b"print()"), ("steps/extract.py", b"pass")))


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """A stub per service that answers in order and refuses every other call; all answers must be used."""
    clients = {
        name: boto3.client(name, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for name in ("sagemaker", "s3", "logs")
    }
    stubbers = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(cloud, "client", clients.__getitem__)
    monkeypatch.setattr(cloud, "names", lambda: NAMES)
    for module in (building, pipeline):
        monkeypatch.setattr(module, "build", lambda names: built())
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    for stubber in stubbers.values():
        stubber.activate()
    yield stubbers
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()


def built(definition: dict[str, Any] = GOLDEN) -> building.Built:
    return building.Built(NAMES, definition, (CODE,))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(scones, arguments)


def failure(result: Result) -> SconesError:
    assert isinstance(result.exception, SconesError), result.exception
    return result.exception


def describe_pipeline(sagemaker: Stubber, definition: dict[str, Any] | None = GOLDEN) -> None:
    if definition is None:
        sagemaker.add_client_error("describe_pipeline", "ResourceNotFound", "Pipeline does not exist.", 400)
        return
    answer = {
        "PipelineArn": PIPELINE_ARN,
        "PipelineName": PIPELINE,
        "PipelineDefinition": json.dumps(definition),
        "RoleArn": NAMES.pipeline_role,
        "PipelineDescription": deploy.DESCRIPTION,
    }
    sagemaker.add_response("describe_pipeline", answer, {"PipelineName": PIPELINE})


def list_code(s3: Stubber, *paths: str) -> None:
    folder = f"code/{CODE.digest}/"
    s3.add_response(
        "list_objects_v2",
        {"Contents": [{"Key": folder + path} for path in paths]},
        {"Bucket": NAMES.bucket, "Prefix": folder},
    )


def list_versions(sagemaker: Stubber, version: int) -> None:
    sagemaker.add_response(
        "list_pipeline_versions",
        {"PipelineVersionSummaries": [{"PipelineArn": PIPELINE_ARN, "PipelineVersionId": version}]},
        {"PipelineName": PIPELINE, "SortOrder": "Descending", "MaxResults": 1},
    )


def list_tags(sagemaker: Stubber, *tags: tuple[str, str]) -> None:
    listed = [{"Key": key, "Value": value} for key, value in tags]
    sagemaker.add_response("list_tags", {"Tags": listed}, {"ResourceArn": PIPELINE_ARN})


def describe_execution(sagemaker: Stubber, status: str) -> None:
    sagemaker.add_response(
        "describe_pipeline_execution",
        {
            "PipelineArn": PIPELINE_ARN,
            "PipelineExecutionArn": EXECUTION,
            "PipelineExecutionStatus": status,
            "CreationTime": BEGAN,
            "LastModifiedTime": BEGAN + timedelta(seconds=90),
        },
        {"PipelineExecutionArn": EXECUTION},
    )


def list_steps(sagemaker: Stubber, *listed: dict[str, Any]) -> None:
    sagemaker.add_response(
        "list_pipeline_execution_steps",
        {"PipelineExecutionSteps": list(listed)},
        {"PipelineExecutionArn": EXECUTION, "SortOrder": "Ascending"},
    )


def step(name: str, status: str, **more: Any) -> dict[str, Any]:
    end = {"EndTime": BEGAN + timedelta(seconds=12.34)} if status in {"Succeeded", "Failed"} else {}
    return {"StepName": name, "StepStatus": status, "StartTime": BEGAN, **end, **more}


def head_archive(s3: Stubber, **more: Any) -> None:
    uri = next(p["DefaultValue"] for p in GOLDEN["Parameters"] if p["Name"] == "InputArchiveUri")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3.add_response("head_object", more, {"Bucket": bucket, "Key": key})


def list_executions(sagemaker: Stubber, *listed: dict[str, Any]) -> None:
    sagemaker.add_response(
        "list_pipeline_executions",
        {"PipelineExecutionSummaries": list(listed)},
        {"PipelineName": PIPELINE, "SortBy": "CreationTime", "SortOrder": "Descending"},
    )


def test_a_first_upsert_uploads_the_code_and_creates_with_tags(stubs: dict[str, Stubber]) -> None:
    list_code(stubs["s3"])
    for path, content in CODE.files:
        expected = {"Bucket": NAMES.bucket, "Key": f"code/{CODE.digest}/{path}", "Body": content}
        stubs["s3"].add_response("put_object", {}, expected)
    describe_pipeline(stubs["sagemaker"], None)
    stubs["sagemaker"].add_response(
        "create_pipeline",
        {"PipelineArn": PIPELINE_ARN},
        {
            "PipelineName": PIPELINE,
            "PipelineDefinition": json.dumps(GOLDEN, separators=(",", ":")),
            "PipelineDescription": deploy.DESCRIPTION,
            "RoleArn": NAMES.pipeline_role,
            "Tags": [{"Key": "project", "Value": "scones-unlimited"}],
        },
    )
    list_versions(stubs["sagemaker"], 1)
    result = run("upsert")
    assert (result.exit_code, result.stdout) == (0, f"created {PIPELINE_ARN} version 1\n")


def test_an_upsert_without_a_change_makes_no_version(stubs: dict[str, Stubber]) -> None:
    list_code(stubs["s3"], *(path for path, _ in CODE.files))
    describe_pipeline(stubs["sagemaker"])
    list_tags(stubs["sagemaker"], ("project", "scones-unlimited"), ("owner", "somebody"))
    list_versions(stubs["sagemaker"], 4)
    outcome = json.loads(run("upsert", "--json").stdout)
    assert outcome == {"action": "unchanged", "arn": PIPELINE_ARN, "version": 4, "uploaded": 0}


def test_an_upsert_completes_an_upload_that_broke_off_and_adds_missing_tags(stubs: dict[str, Stubber]) -> None:
    list_code(stubs["s3"], "run.py")
    expected = {"Bucket": NAMES.bucket, "Key": f"code/{CODE.digest}/steps/extract.py", "Body": b"pass"}
    stubs["s3"].add_response("put_object", {}, expected)
    describe_pipeline(stubs["sagemaker"], {**GOLDEN, "Version": "older"})
    list_tags(stubs["sagemaker"])
    tags = [{"Key": "project", "Value": "scones-unlimited"}]
    stubs["sagemaker"].add_response("add_tags", {}, {"ResourceArn": PIPELINE_ARN, "Tags": tags})
    answer = {"PipelineArn": PIPELINE_ARN, "PipelineVersionId": 5}
    stubs["sagemaker"].add_response(
        "update_pipeline",
        answer,
        {"PipelineName": PIPELINE, "PipelineDefinition": ANY, "PipelineDescription": ANY, "RoleArn": ANY},
    )
    assert run("upsert").stdout == f"updated {PIPELINE_ARN} version 5\n"


def test_a_definition_with_problems_is_not_deployed(stubs: dict[str, Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "build", lambda names: built({**GOLDEN, "Version": "x"}))
    result = run("upsert")
    assert "nothing was deployed" in str(failure(result))
    assert "version 'x' is unknown" in result.stderr


def test_a_refusal_of_the_service_is_told_with_its_reason(stubs: dict[str, Stubber]) -> None:
    list_code(stubs["s3"], *(path for path, _ in CODE.files))
    describe_pipeline(stubs["sagemaker"], None)
    stubs["sagemaker"].add_client_error("create_pipeline", "ValidationException", "Unable to parse definition", 400)
    error = failure(run("upsert"))
    assert isinstance(error, CloudError) and "writing pipeline scones-unlimited" in str(error)
    assert "Unable to parse definition" in str(error)


def test_a_diff_names_what_differs_and_says_so_by_its_exit_code_on_request(stubs: dict[str, Stubber]) -> None:
    changed = json.loads(json.dumps(GOLDEN))
    changed["Parameters"][4]["DefaultValue"] = 60
    describe_pipeline(stubs["sagemaker"], changed)
    describe_pipeline(stubs["sagemaker"], changed)
    plain, strict = run("diff"), run("diff", "--exit-code")
    assert plain.stdout == strict.stdout == "~ parameter Epochs: DefaultValue: 60 -> 100\n"
    assert (plain.exit_code, strict.exit_code) == (0, 1)


def test_a_diff_against_nothing_is_the_whole_pipeline(stubs: dict[str, Stubber]) -> None:
    describe_pipeline(stubs["sagemaker"], None)
    assert run("diff").stdout == "+ pipeline scones-unlimited\n"


def test_an_archive_is_uploaded_under_its_checksum_and_started_with_it(
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "cifar.tar.gz"
    archive.write_bytes(b"pictures")
    digest = hashlib.sha256(b"pictures").hexdigest()
    place = {"Bucket": NAMES.bucket, "Key": f"data/{digest[:16]}/cifar.tar.gz"}
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
                {"Name": "InputArchiveUri", "Value": f"s3://{NAMES.bucket}/data/{digest[:16]}/cifar.tar.gz"},
                {"Name": "InputArchiveSha256", "Value": digest},
                {"Name": "Epochs", "Value": "8"},
                {"Name": "LearningRateSteps", "Value": "4,6"},
            ],
            "PipelineExecutionDisplayName": "first",
        },
    )
    result = run("start", "--archive", str(archive), "--parameter", "Epochs=8", "--display-name", "first")
    assert result.stdout == f"{EXECUTION}\n", result.exception


def test_an_archive_in_s3_is_read_for_its_checksum_only_if_none_is_recorded(stubs: dict[str, Stubber]) -> None:
    place = {"Bucket": "lake", "Key": "cifar.tar.gz"}
    stubs["s3"].add_response("head_object", {"Metadata": {"sha256": "abc"}}, place)
    found = archive_parameters(NAMES, "s3://lake/cifar.tar.gz")
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
    stubs: dict[str, Stubber], parameter: str, words: str
) -> None:
    describe_pipeline(stubs["sagemaker"])
    error = failure(run("start", "--parameter", parameter))
    assert isinstance(error, UsageError) and words in str(error)


def test_starting_without_a_pipeline_or_an_archive_says_what_to_do(
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe_pipeline(stubs["sagemaker"], None)
    assert "scones upsert" in str(failure(run("start")))
    describe_pipeline(stubs["sagemaker"])
    stubs["s3"].add_client_error("head_object", "404", "Not Found", 404)
    error = failure(run("start"))
    assert isinstance(error, DataError) and "--archive PATH" in str(error)


def test_a_start_by_someone_who_may_not_read_the_data_goes_on(
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    describe_pipeline(stubs["sagemaker"])
    stubs["s3"].add_client_error("head_object", "403", "Forbidden", 403)
    stubs["sagemaker"].add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION})
    result = run("start")
    assert result.stdout == f"{EXECUTION}\n" and "Not checked" in result.stderr


def start_and_wait(stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(tmp_path)  # outside of a checkout: no commit is recorded
    return run("start", "--wait")


def expect_start(stubs: dict[str, Stubber]) -> Stubber:
    describe_pipeline(stubs["sagemaker"])
    head_archive(stubs["s3"])
    expected = {"PipelineName": PIPELINE, "PipelineParameters": []}
    stubs["sagemaker"].add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    return stubs["sagemaker"]


def test_waiting_prints_each_transition_once(
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": job, "limit": 1},
    )
    stubs["logs"].add_response(
        "get_log_events",
        {"events": [{"message": "reading train.lst\n"}, {"message": "Customer Error: no images"}]},
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


def test_a_job_without_a_log_is_no_second_failure(stubs: dict[str, Stubber]) -> None:
    stubs["logs"].add_client_error("describe_log_streams", "ResourceNotFoundException", "no group", 400)
    assert follow.log_tail("/aws/sagemaker/TrainingJobs", "job") == []


def test_a_closed_gate_exits_with_three(
    stubs: dict[str, Stubber], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = expect_start(stubs)
    describe_execution(sagemaker, "Failed")
    failed = step("QualityTooLow", "Failed", Metadata={"Fail": {"ErrorMessage": "Accuracy 0.5 is below 0.8"}})
    list_steps(sagemaker, step("CheckQuality", "Succeeded", Metadata={"Condition": {"Outcome": "False"}}), failed)
    error = failure(start_and_wait(stubs, tmp_path, monkeypatch))
    assert isinstance(error, QualityGateError) and error.exit_code == 3


def test_an_execution_is_found_by_id_by_display_name_and_as_the_latest(stubs: dict[str, Stubber]) -> None:
    older = {"PipelineExecutionArn": EXECUTION, "PipelineExecutionDisplayName": "baseline"}
    newer = {"PipelineExecutionArn": EXECUTION.replace("abc", "xyz")}
    for wanted, found in (
        (None, newer),
        ("abcdefghijkl", older),
        ("baseline", older),
    ):
        list_executions(stubs["sagemaker"], newer, older)
        assert executions.resolve(PIPELINE, wanted) == found["PipelineExecutionArn"]
    assert executions.resolve(PIPELINE, EXECUTION) == EXECUTION
    list_executions(stubs["sagemaker"], newer)
    with pytest.raises(UsageError, match="'nothing'"):
        executions.resolve(PIPELINE, "nothing")
    list_executions(stubs["sagemaker"])
    with pytest.raises(UsageError, match="no execution yet"):
        executions.resolve(PIPELINE, None)
    stubs["sagemaker"].add_client_error("list_pipeline_executions", "ResourceNotFound", "no such pipeline", 400)
    with pytest.raises(UsageError, match="scones upsert"):
        executions.resolve(PIPELINE, None)


def test_status_shows_the_steps(stubs: dict[str, Stubber]) -> None:
    for _ in range(2):
        describe_execution(stubs["sagemaker"], "Executing")
        list_steps(stubs["sagemaker"], step("ExtractCifar", "Succeeded"), step("Train", "Executing"))
    text = run("status", EXECUTION).stdout.splitlines()
    assert text[0] == "abcdefghijkl  Executing, started 2026-11-20 10:00:00 UTC"
    assert text[2].split() == ["ExtractCifar", "Succeeded", "12.3", "s"]
    answer = json.loads(run("status", EXECUTION, "--json").stdout)
    assert [s["name"] for s in answer["steps"]] == ["ExtractCifar", "Train"]


def test_resume_retries_what_failed_and_refuses_what_runs(stubs: dict[str, Stubber]) -> None:
    describe_execution(stubs["sagemaker"], "Failed")
    expected = {"PipelineExecutionArn": EXECUTION}
    stubs["sagemaker"].add_response("retry_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    assert run("resume", EXECUTION).stdout == f"{EXECUTION}\n"
    describe_execution(stubs["sagemaker"], "Executing")
    assert "nothing to resume" in str(failure(run("resume", EXECUTION)))


def test_stop_stops_what_runs_and_refuses_what_has_ended(stubs: dict[str, Stubber]) -> None:
    sagemaker = stubs["sagemaker"]
    describe_execution(sagemaker, "Executing")
    expected = {"PipelineExecutionArn": EXECUTION}
    sagemaker.add_response("stop_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, expected)
    for status in ("Stopping", "Stopped", "Stopped"):
        describe_execution(sagemaker, status)
        list_steps(sagemaker, step("Train", status))
    result = run("stop", EXECUTION, "--wait")
    assert result.exit_code == 0 and "Stopped" in result.stdout
    describe_execution(sagemaker, "Succeeded")
    assert "nothing to stop" in str(failure(run("stop", EXECUTION)))


def test_the_template_script_upserts_with_its_role_and_tags_then_starts_and_waits(stubs: dict[str, Stubber]) -> None:
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
