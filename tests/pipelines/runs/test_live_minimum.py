"""`scones start --max-drop-from-live`: what the live model was worth, through botocore's own model of the services."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from botocore.response import StreamingBody
from service_stubs import Stubs

from pipelines.runs import live_minimum
from project import aws
from project.errors import CloudError, DataError
from project.names import Names
from project.settings import Settings

NAMES = Names(Settings())
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/scones-unlimited/4"
KEY = "executions/abc/Evaluate/evaluation/evaluation.json"


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "names", lambda: NAMES)


def live(stubs: Stubs, value: str) -> None:
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": value}}, {"Name": NAMES.live_parameter})


def package(stubs: Stubs, classes: str = "bicycle motorcycle", evaluated: bool = True) -> None:
    source = {"ContentType": "application/json", "S3Uri": f"s3://{NAMES.bucket}/{KEY}"}
    answer = {
        "ModelPackageName": "scones-unlimited/4",
        "ModelPackageArn": ARN,
        "CreationTime": datetime(2026, 11, 20, tzinfo=UTC),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "CustomerMetadataProperties": {"classes": classes},
        "ModelMetrics": {"ModelQuality": {"Statistics": source}} if evaluated else {},
    }
    stubs["sagemaker"].add_response("describe_model_package", answer, {"ModelPackageName": ARN})


def evaluated(stubs: Stubs, text: str) -> None:
    body = StreamingBody(io.BytesIO(text.encode()), len(text.encode()))
    stubs["s3"].add_response("get_object", {"Body": body}, {"Bucket": NAMES.bucket, "Key": KEY})


def test_the_minimum_is_the_live_accuracy_less_what_may_be_lost(
    stubs: Stubs, capsys: pytest.CaptureFixture[str]
) -> None:
    live(stubs, json.dumps({"model_package_arn": ARN}))
    package(stubs)
    evaluated(stubs, json.dumps({"metrics": {"accuracy": 0.945}}))
    assert live_minimum.parameters(Settings(), 0.02) == {"MinimumFromLive": "0.925"}
    assert "scones-unlimited/4 has accuracy 0.9450; the new one must reach 0.925" in capsys.readouterr().err


def test_before_the_first_deployment_nothing_is_compared(stubs: Stubs, capsys: pytest.CaptureFixture[str]) -> None:
    live(stubs, "{}")
    assert live_minimum.parameters(Settings(), 0.02) == {}
    stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound", "not there", 400)
    assert live_minimum.parameters(Settings(), 0.02) == {}
    assert capsys.readouterr().err.count("No model is live yet") == 2


def test_a_refused_look_at_the_live_model_is_an_error(stubs: Stubs) -> None:
    stubs["ssm"].add_client_error("get_parameter", "AccessDeniedException", "no", 400)
    with pytest.raises(CloudError, match="AccessDenied"):
        live_minimum.parameters(Settings(), 0.02)


def test_a_live_model_of_other_classes_is_not_compared_with(stubs: Stubs, capsys: pytest.CaptureFixture[str]) -> None:
    live(stubs, json.dumps({"model_package_arn": ARN}))
    package(stubs, classes="bus train")
    assert live_minimum.parameters(Settings(), 0.02) == {}
    assert "knows bus train: not compared with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "has no metrics.accuracy"),
        ('{"metrics": {"accuracy": null}}', "has no metrics.accuracy"),
        ("not JSON", "The live model's evaluation: .*not JSON"),
        ('{"metrics": {"accuracy": NaN}}', "not JSON: NaN in it"),
        ('{"metrics": {"accuracy": "nan"}}', "accuracy is nan"),
        (None, "registered without an evaluation"),
    ],
)
def test_a_live_model_without_a_readable_accuracy_stops_the_start(stubs: Stubs, text: str | None, words: str) -> None:
    live(stubs, json.dumps({"model_package_arn": ARN}))
    package(stubs, evaluated=text is not None)
    if text is not None:
        evaluated(stubs, text)
    with pytest.raises(DataError, match=words) as caught:
        live_minimum.parameters(Settings(), 0.02)
    assert "--parameter MinimumFromLive=0" in caught.value.fix
