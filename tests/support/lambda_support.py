"""What tests of the Lambda functions share: their environment, a context, pictures of every kind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from fake_aws import ENDPOINT, GROUP, FakeAws
from fake_aws_server import serving
from PIL import Image

from lambdas import clients
from lambdas.filter_inferences import threshold

THRESHOLD_PARAMETER = "/scones-unlimited/inference/threshold"
UNFAMILIARITY_PARAMETER = "/scones-unlimited/inference/unfamiliarity"
LIVE_PARAMETER = "/scones-unlimited/inference/live-model"
MONITOR_PARAMETER = "/scones-unlimited/monitoring/attached"
ENVIRONMENT = {
    "CLASSES": "bicycle,motorcycle",
    "ROUTES": '{"bicycle": "near", "motorcycle": "far"}',
    "IMAGE_SIZE": "32x32",
    "ENDPOINT_NAME": ENDPOINT,
    "THRESHOLD_PARAMETER": THRESHOLD_PARAMETER,
    "UNFAMILIARITY_PARAMETER": UNFAMILIARITY_PARAMETER,
    "LIVE_PARAMETER": LIVE_PARAMETER,
    "MODEL_PACKAGE_GROUP": GROUP,
    "MODEL_ROLE_ARN": "arn:aws:iam::000000000000:role/scones-unlimited-model",
    "INSTANCE_TYPE": "ml.m5.large",
    "CAPTURE_URI": "s3://scones-unlimited-test/captures",
    "INCOMING_RULE": "scones-unlimited-incoming",
    "POLL_SECONDS": "1",
    "BAKE_SECONDS": "0",
    "BUCKET": "scones-unlimited-test",
    "MONITOR_SCHEDULE": "scones-unlimited-monitor",
    "MONITOR_PARAMETER": MONITOR_PARAMETER,
    "SCHEDULER": "auto",
    "SCHEDULER_ROLE_ARN": "arn:aws:iam::000000000000:role/scones-unlimited-scheduler",
    "UNDELIVERED_ARN": "arn:aws:sqs:us-east-1:000000000000:scones-unlimited-undelivered",
    "ALARMS_TOPIC": "arn:aws:sns:us-east-1:000000000000:scones-unlimited-alarms",
    "JOB_ROLE_ARN": "arn:aws:iam::000000000000:role/scones-unlimited-pipeline",
    "JOB_IMAGE": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
    "JOB_CODE": "code/0123456789abcdef/monitor.zip",
}
CONTEXT = SimpleNamespace(
    function_name="tested",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:tested",
    aws_request_id="5e4c7d2a-0000-4000-8000-000000000000",
)


def picture(mode: str = "RGB", size: tuple[int, int] = (32, 32), kind: str = "PNG", **options: Any) -> bytes:
    """A gradient of that mode and size in that format."""
    ramp = Image.linear_gradient("L").resize(size)
    merged = Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_90).resize(size), ramp))
    out = io.BytesIO()
    _as_mode(merged, mode).save(out, kind, **options)
    return out.getvalue()


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.frombytes("I;16", image.size, b"".join(bytes((0, v)) for v in image.convert("L").tobytes()))
    return image.convert(mode)


@pytest.fixture
def function_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """This process as a Lambda environment whose clients reach a fake AWS."""
    fake = FakeAws()
    fake.parameters[THRESHOLD_PARAMETER] = "0.93"
    fake.parameters[UNFAMILIARITY_PARAMETER] = "0.95"
    fake.parameters[MONITOR_PARAMETER] = "{}"
    with serving(fake) as url:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
            monkeypatch.setenv(name, url)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        forget()
        yield fake
        forget()


def forget() -> None:
    """Drop what a warm function would keep between calls."""
    for make in vars(clients).values():
        if hasattr(make, "cache_clear"):
            make.cache_clear()
    threshold._cached.clear()


@pytest.fixture
def s3(function_environment: FakeAws) -> Iterator[Stubber]:
    """The functions' own S3 client, answering from a script."""
    with Stubber(clients.s3()) as stubber:
        yield stubber


def object_answer(data: bytes, length: int | None = None) -> dict[str, Any]:
    """What S3 answers GetObject with."""
    size = len(data) if length is None else length
    return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ContentLength": size}
