"""The pipeline's verbs against stubs of the services: one pipeline, one execution, and the answers about them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from golden import GOLDEN

from pipelines import pipeline
from pipelines.definition import build
from pipelines.definition.bundle import Bundle
from pipelines.runs import upsert
from project import aws
from project.errors import SconesError
from project.names import Names
from project.settings import Settings
from scones.cli.main import scones

NAMES = Names(Settings(), "123456789012")
PIPELINE = "scones-unlimited"
PIPELINE_ARN = f"arn:aws:sagemaker:us-east-1:{NAMES.account}:pipeline/{NAMES.settings.pipeline_name}"
EXECUTION = f"{PIPELINE_ARN}/execution/abcdefghijkl"
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
GOLDEN = json.loads((GOLDEN / "definition-builtin.json").read_text(encoding="utf-8"))
CODE = Bundle("extract", (("run.py", b"print()"), ("steps/extract.py", b"pass")))


@pytest.fixture
def golden_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built is the golden definition with two files of code, and waiting takes no time."""
    monkeypatch.setattr(aws, "names", lambda: NAMES)
    for module in (build, pipeline):
        monkeypatch.setattr(module, "build", lambda names: built())
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def built(definition: dict[str, Any] = GOLDEN) -> build.Built:
    return build.Built(NAMES, definition, (CODE,))


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
        "PipelineDescription": upsert.DESCRIPTION,
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
