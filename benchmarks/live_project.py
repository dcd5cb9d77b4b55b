"""A project that is live: a local cloud, the deployed template, and a ResNet-20 approved and in service.

The model has learned from noise: as fast as a good one. A threshold of 0 lets it route every picture.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from serving_endpoint import make_model

from infra import stack
from localcloud import up
from pipelines import registry
from pipelines.runs import deployment
from project import aws
from stepfunctions import executions

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"


@contextmanager
def live_project() -> Iterator[Path]:
    """Bring all of it up in a temporary folder, and down at the end; the state folder."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        os.environ["SCONES_SETTINGS"] = os.devnull
        os.environ.update(up.environment(up.start(state, port=0, sagemaker_port=0)))
        try:
            stack.deploy(aws.names(), lambda _: None, layer="installed")
            arn = register(Path(folder) / "model")
            version = registry.choose(aws.names().settings.model_package_group, arn, "Approved")
            end = deployment.decide_and_wait(version, "Approved", "for a benchmark", lambda _: None)
            executions.raise_unless_succeeded(end, "The deployment")
            yield state
        finally:
            up.stop(state)


def register(folder: Path) -> str:
    """ARN of a registered version that waits for its approval."""
    folder.mkdir()
    make_model(folder)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
    names = aws.names()
    aws.client("s3").put_object(Bucket=names.bucket, Key="models/model.tar.gz", Body=archive.getvalue())
    sagemaker, group = aws.client("sagemaker"), names.settings.model_package_group
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn: str = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": names.uri("models/model.tar.gz")}],
            "SupportedContentTypes": ["application/x-image"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return arn


def put_pictures(prefix: str, count: int) -> list[str]:
    """Upload `count` pictures of noise, 32x32 PNG; their keys."""
    generator, keys = np.random.default_rng(1), [f"{prefix}{number:05d}.png" for number in range(count)]
    for key in keys:
        file = io.BytesIO()
        Image.fromarray(generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(file, "PNG")
        aws.client("s3").put_object(Bucket=aws.names().bucket, Key=key, Body=file.getvalue())
    return keys
