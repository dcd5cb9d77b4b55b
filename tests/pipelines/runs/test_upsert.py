"""What `scones upsert` and `scones diff` ask of AWS, checked by botocore's own model of the services."""

from __future__ import annotations

import json

import pytest
from botocore.stub import ANY
from pipeline_calls import (
    CODE,
    GOLDEN,
    NAMES,
    PIPELINE,
    PIPELINE_ARN,
    built,
    describe_pipeline,
    failure,
    list_code,
    list_tags,
    list_versions,
    run,
)
from service_stubs import Stubs

from pipelines.definition import build
from pipelines.runs import upsert
from project.errors import CloudError

pytestmark = pytest.mark.usefixtures("golden_pipeline")


def test_a_first_upsert_uploads_the_code_and_creates_with_tags(stubs: Stubs) -> None:
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
            "PipelineDescription": upsert.DESCRIPTION,
            "RoleArn": NAMES.pipeline_role,
            "Tags": [{"Key": "project", "Value": "scones-unlimited"}],
        },
    )
    result = run("upsert")
    assert (result.exit_code, result.stdout) == (0, f"created {PIPELINE_ARN} version 1\n")


def test_an_upsert_without_a_change_makes_no_version(stubs: Stubs) -> None:
    list_code(stubs["s3"], *(path for path, _ in CODE.files))
    describe_pipeline(stubs["sagemaker"])
    list_tags(stubs["sagemaker"], ("project", "scones-unlimited"), ("owner", "somebody"))
    list_versions(stubs["sagemaker"], 4)
    outcome = json.loads(run("upsert", "--json").stdout)
    assert outcome == {"action": "unchanged", "arn": PIPELINE_ARN, "version": 4, "uploaded": 0}


def test_an_upsert_completes_an_upload_that_broke_off_and_adds_missing_tags(stubs: Stubs) -> None:
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


def test_a_definition_with_problems_is_not_deployed(stubs: Stubs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build", lambda names: built({**GOLDEN, "Version": "x"}))
    result = run("upsert")
    assert "nothing was deployed" in str(failure(result))
    assert "version 'x' is unknown" in result.stderr


def test_a_refusal_of_the_service_is_told_with_its_reason(stubs: Stubs) -> None:
    list_code(stubs["s3"], *(path for path, _ in CODE.files))
    describe_pipeline(stubs["sagemaker"], None)
    stubs["sagemaker"].add_client_error("create_pipeline", "ValidationException", "Unable to parse definition", 400)
    error = failure(run("upsert"))
    assert isinstance(error, CloudError) and "writing pipeline scones-unlimited" in str(error)
    assert "Unable to parse definition" in str(error)


def test_a_diff_names_what_differs_and_says_so_by_its_exit_code_on_request(stubs: Stubs) -> None:
    changed = json.loads(json.dumps(GOLDEN))
    next(one for one in changed["Parameters"] if one["Name"] == "Epochs")["DefaultValue"] = 60
    describe_pipeline(stubs["sagemaker"], changed)
    describe_pipeline(stubs["sagemaker"], changed)
    plain, strict = run("diff"), run("diff", "--exit-code")
    assert plain.stdout == strict.stdout == "~ parameter Epochs: DefaultValue: 60 -> 100\n"
    assert (plain.exit_code, strict.exit_code) == (0, 1)


def test_a_diff_against_nothing_is_the_whole_pipeline(stubs: Stubs) -> None:
    describe_pipeline(stubs["sagemaker"], None)
    assert run("diff").stdout == "+ pipeline scones-unlimited\n"
