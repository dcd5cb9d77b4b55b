"""Drift starts the pipeline again, once, as it was started for the live version, and says why."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_support import CONTEXT, LIVE_PARAMETER

from lambdas import clients
from lambdas.outcomes import FailedError
from lambdas.retrain.handler import handler

EXECUTION = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/scones-unlimited/execution/abc"
EVENT = {
    "id": "5e4c7d2a-0000-4000-8000-000000000001",
    "detail": {"reason": "CompletedWithViolations brightness, contrast in scones-unlimited-monitor-2026050412"},
}


class Registry:
    """SageMaker, SSM and S3, as far as Retrain asks them."""

    def __init__(self) -> None:
        self.running = False
        self.started: list[dict[str, Any]] = []
        self.live: dict[str, Any] = {"model_package_arn": "arn:package/1"}
        self.metadata = {"execution": EXECUTION}
        self.newest: bytes | None = None

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's own
        assert Name == LIVE_PARAMETER
        return {"Parameter": {"Value": json.dumps(self.live)}}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's own
        assert (Bucket, Key) == ("scones-bucket", "reviewed/newest.json")
        if self.newest is None:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "not there"}}, "GetObject")
        return {"Body": io.BytesIO(self.newest)}

    def list_pipeline_executions(self, **_: Any) -> dict[str, Any]:
        status = "Executing" if self.running else "Succeeded"
        return {"PipelineExecutionSummaries": [{"PipelineExecutionArn": EXECUTION, "PipelineExecutionStatus": status}]}

    def describe_model_package(self, **_: Any) -> dict[str, Any]:
        return {"CustomerMetadataProperties": self.metadata}

    def list_pipeline_parameters_for_execution(self, **asked: str) -> dict[str, Any]:
        assert asked == {"PipelineExecutionArn": EXECUTION}
        known = {
            "InputArchiveUri": "s3://b/data.tar.gz",
            "ReviewedPictures": "s3://b/reviewed/older/",
            "StartReason": "started by hand",
        }
        return {"PipelineParameters": [{"Name": name, "Value": value} for name, value in known.items()]}

    def start_pipeline_execution(self, **asked: Any) -> dict[str, str]:
        self.started.append(asked)
        return {"PipelineExecutionArn": f"{EXECUTION}-new"}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    found = Registry()
    monkeypatch.setenv("PIPELINE", "scones-unlimited")
    monkeypatch.setenv("LIVE_PARAMETER", LIVE_PARAMETER)
    monkeypatch.setenv("BUCKET", "scones-bucket")
    for service in ("sagemaker", "ssm", "s3"):
        monkeypatch.setattr(clients, service, lambda: found)
    return found


def test_the_pipeline_starts_with_the_live_versions_data_and_the_reason(registry: Registry) -> None:
    assert handler(EVENT, CONTEXT) == {"execution": f"{EXECUTION}-new"}
    [asked] = registry.started
    given = {one["Name"]: one["Value"] for one in asked["PipelineParameters"]}
    assert given["InputArchiveUri"] == "s3://b/data.tar.gz"
    assert given["ReviewedPictures"] == "s3://b/reviewed/older/", "none was published since"
    reason = "CompletedWithViolations brightness  contrast in scones-unlimited-monitor-2026050412"
    assert given["StartReason"] == reason, "a comma is outside the alphabet of a model package's metadata"
    assert asked["ClientRequestToken"] == EVENT["id"], "of two deliveries of one event, one starts it"


def test_it_starts_with_the_newest_set_of_reviewed_deliveries(registry: Registry) -> None:
    registry.newest = b'{"uri": "s3://b/reviewed/newer/"}'
    handler(EVENT, CONTEXT)
    [asked] = registry.started
    given = [one["Value"] for one in asked["PipelineParameters"] if one["Name"] == "ReviewedPictures"]
    assert given == ["s3://b/reviewed/newer/"]


@pytest.mark.parametrize("content", [b"[]", b'{"uri": 3}', b"{}"])
def test_a_damaged_word_about_the_newest_set_starts_nothing(registry: Registry, content: bytes) -> None:
    registry.newest = content
    with pytest.raises(FailedError, match="names no set of reviewed deliveries"):
        handler(EVENT, CONTEXT)
    assert not registry.started


def test_nothing_is_started_beside_an_execution_that_runs(registry: Registry) -> None:
    registry.running = True
    assert "is running already" in handler(EVENT, CONTEXT)["message"]
    assert not registry.started


def test_a_version_that_no_execution_made_leaves_the_defaults(registry: Registry) -> None:
    registry.metadata = {}
    handler(EVENT, CONTEXT)
    assert [one["Name"] for one in registry.started[0]["PipelineParameters"]] == ["StartReason"]


def test_with_nothing_live_the_event_is_kept_as_undelivered(registry: Registry) -> None:
    registry.live = {}
    with pytest.raises(FailedError, match="No version is live"):
        handler(EVENT, CONTEXT)
