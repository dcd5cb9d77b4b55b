"""A project of its own in the local cloud, as people have it in a story: settings, stack, versions, and a desk."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import boto3
from cloud_fixtures import OPEN_QUEUE, LocalCloud
from commands import run_scones
from endpoint_support import PYTORCH_INFERENCE, archive
from job_support import unique
from PIL import Image


def by_brightness(bicycle: str) -> str:
    """A model's code: `bicycle` is the expression of a bicycle's probability, from the picture's mean `grey`."""
    return f"""
    import io, json
    from PIL import Image

    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        grey = Image.open(io.BytesIO(body)).convert("L").resize((1, 1)).getpixel((0, 0))
        bicycle = {bicycle}
        return json.dumps([bicycle, 1 - bicycle]), "application/json"
"""


BY_BRIGHTNESS = by_brightness("0.97 if grey > 200 else 0.04 if grey < 50 else 0.6")
"""White is a bicycle, black a motorcycle, and of grey the model is not sure."""
NEVER_STARTS = "raise RuntimeError('this model cannot be loaded')"


def always(answer: str) -> str:
    """A model's code that gives every picture the same answer."""
    return f"""
    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        return "{answer}", "application/json"
"""


@dataclass(frozen=True)
class Story:
    """A project: its folder with the settings, its commands, and clients of the local cloud that it is in."""

    name: str
    folder: Path
    cloud: LocalCloud
    clients: dict[str, Any]

    @classmethod
    def begin(cls, cloud: LocalCloud, name: str, folder: Path, *services: str) -> Self:
        """Settings, and clients of SageMaker and of those services; nothing is deployed yet."""
        (folder / "scones.toml").write_text(f'project = "{name}"\n[serving]\nbake_seconds = 0\n', encoding="utf-8")
        session = boto3.Session("test", "test", region_name="us-east-1")
        clients = {one: session.client(one, endpoint_url=cloud.addresses.ministack) for one in ("s3", *services)}
        for one in ("sagemaker", "sagemaker-runtime"):
            clients[one] = session.client(one, endpoint_url=cloud.addresses.sagemaker)
        return cls(name, folder, cloud, clients)

    @property
    def bucket(self) -> str:
        return f"{self.name}-000000000000-us-east-1"

    def scones(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_scones(*words, environment=self.cloud.environment, folder=self.folder)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def deploy(self) -> None:
        """The stack, and a group without a version."""
        self.scones("infra", "deploy")
        self.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=self.name)

    def register(self, code: str = BY_BRIGHTNESS, **more: Any) -> str:
        """A version of the project's group that waits for a decision; its ARN."""
        key = f"models/{unique('version')}/model.tar.gz"
        body = archive({"code/inference.py": textwrap.dedent(code).encode()})
        self.clients["s3"].put_object(Bucket=self.bucket, Key=key, Body=body)
        request = {
            "ModelPackageGroupName": self.name,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [{"Image": PYTORCH_INFERENCE, "ModelDataUrl": f"s3://{self.bucket}/{key}"}],
                "SupportedContentTypes": ["image/png"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            "CustomerMetadataProperties": {"classes": "bicycle motorcycle"},
            **more,
        }
        return str(self.clients["sagemaker"].create_model_package(**request)["ModelPackageArn"])

    def document(self, key: str, content: Any) -> dict[str, str]:
        """Put a JSON document into the bucket; where it is, as a version's metrics and baselines say it."""
        self.clients["s3"].put_object(Bucket=self.bucket, Key=key, Body=json.dumps(content).encode())
        return {"ContentType": "application/json", "S3Uri": f"s3://{self.bucket}/{key}"}

    def picture(self, name: str, grey: int) -> Path:
        """A picture in the folder that is of one grey: 0 is black, 255 is white."""
        file = self.folder / name
        Image.new("RGB", (48, 32), (grey, grey, grey)).save(file)
        return file

    def call(self, function: str, **event: Any) -> dict[str, Any]:
        """What one of the project's functions answers."""
        name = f"{self.name}-{function}"
        answer = self.clients["lambda"].invoke(FunctionName=name, Payload=json.dumps(event).encode())
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found

    def attached(self) -> dict[str, Any]:
        """What is recorded of the schedule that watches the endpoint."""
        value = self.clients["ssm"].get_parameter(Name=f"/{self.name}/monitoring/attached")["Parameter"]["Value"]
        found: dict[str, Any] = json.loads(value)
        return found

    def scheduler(self, kind: str) -> None:
        """Set the scheduler as the stack would, which takes ten times as long."""
        functions, name = self.clients["lambda"], f"{self.name}-monitor"
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, "SCHEDULER": kind}}
        )


@contextmanager
def desk(story: Story) -> Iterator[str]:
    """The URL of a queue that is subscribed to the project's alerts."""
    sqs, sns = story.clients["sqs"], story.clients["sns"]
    queue: str = sqs.create_queue(QueueName=f"{story.name}-desk", Attributes=OPEN_QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = f"arn:aws:sns:us-east-1:000000000000:{story.name}-alerts"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    yield queue
    sns.unsubscribe(SubscriptionArn=subscription)
    sqs.delete_queue(QueueUrl=queue)
