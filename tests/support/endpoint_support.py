"""Endpoints for tests: a local SageMaker with its HTTP server inside the test's process, and models to serve."""

from __future__ import annotations

import io
import tarfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError
from cloud_fixtures import eventually, started_with
from job_support import REGISTRY, ROLE, Bucket, unique

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import instance
from localcloud.sagemaker.server import application

PYTORCH_INFERENCE = f"{REGISTRY}/pytorch-inference:2.6-cpu-py312"
IN_PROGRESS = {"Creating", "Updating", "RollingBack", "SystemUpdating", "Deleting"}
WORD = """
    import json

    def model_fn(folder):
        return open(f"{folder}/word.txt").read()

    def transform_fn(model, body, content_type, accept):
        return json.dumps([model, len(body)]), "application/json"
"""
"""Answers with the model's word and the length of the body."""
ANSWERS = 'def answer(body, headers):\n    return 200, b"{word}"'
PORT = "def answer(body, headers):\n    return 200, os.environ['SAGEMAKER_BIND_TO_PORT'].encode()"
"""Answers with what no two processes have alike; see `process_at`."""
ENDS = 'sys.exit("Error: the weights are not readable.")'
SLOW = """
import time
def answer(body, headers):
    while not os.path.exists(body.decode()):
        time.sleep(0.01)
    return 200, b"done"
"""
"""Answers when the file is there that the body names."""


@dataclass(frozen=True)
class Clients:
    """boto3 clients of one local SageMaker. They try nothing twice."""

    url: str
    sagemaker: Any
    runtime: Any

    def config(self, model: str, name: str = "", **changes: Any) -> str:
        """An endpoint configuration of one variant; its name."""
        name = name or unique("config")
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            **changes.pop("variant", {}),
        }
        self.sagemaker.create_endpoint_config(
            **{"EndpointConfigName": name, "ProductionVariants": [variant], **changes}
        )
        return name

    def create(self, config: str) -> str:
        """Begin to create an endpoint; its name."""
        name = unique("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def serve(self, config: str) -> str:
        """An endpoint that is in service; its name."""
        name = self.create(config)
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """What Describe says when nothing is being done to the endpoint any more."""
        eventually(lambda: self.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] not in IN_PROGRESS)
        found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return found

    def delete(self, name: str) -> None:
        """Delete an endpoint and wait until it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        eventually(lambda: refused(self.sagemaker.describe_endpoint, EndpointName=name))

    def invoke(self, endpoint: str, body: bytes = b"body", **more: Any) -> bytes:
        """The answer's body."""
        answer: bytes = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **more)["Body"].read()
        return answer


def clients_of(url: str) -> Clients:
    options: dict[str, Any] = {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "config": Config(retries={"total_max_attempts": 1}, max_pool_connections=64),
    }
    session = _session()
    return Clients(url, session.client("sagemaker", **options), session.client("sagemaker-runtime", **options))


def process_at(port: int) -> int:
    """The serving process that answers at a port: its number."""
    [found] = started_with("SAGEMAKER_BIND_TO_PORT", str(port))
    return found


@cache
def _session() -> Any:
    """One for all tests: it reads the service models once, which takes longer than many a test."""
    return boto3.Session()


def refused(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """The error response of a call, or an empty one when it succeeds."""
    try:
        call(**request)
    except ClientError as error:
        return dict(error.response)
    return {}


@pytest.fixture
def endpoints(cloud: Cloud) -> Iterator[Clients]:
    """Clients of a local SageMaker that is served on a port by a thread of the test's process."""
    with served(cloud) as url:
        yield clients_of(url)


@contextmanager
def served(cloud: Cloud) -> Iterator[str]:
    """The local SageMaker on a port, and at the end everything that it started has ended."""
    config = uvicorn.Config(application(cloud), host="127.0.0.1", port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended is noticed and started again at once."""
    monkeypatch.setattr(instance, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(instance, "LOOK_SECONDS", 0.02)


def word_model(sagemaker: Any, bucket: Bucket, word: str, code: str = WORD) -> str:
    """A model for the PyTorch serving program that answers with `word`; its name."""
    name = unique("model")
    files = {"code/inference.py": textwrap.dedent(code).encode(), "word.txt": word.encode()}
    container = {"Image": PYTORCH_INFERENCE, "ModelDataUrl": bucket.put(f"{name}/model.tar.gz", archive(files))}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


def archive(files: dict[str, bytes]) -> bytes:
    """A model.tar.gz."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return body.getvalue()


def capture(bucket: Bucket, percentage: int = 100, modes: tuple[str, ...] = ("Input", "Output")) -> dict[str, Any]:
    """A DataCaptureConfig that writes below capture/."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percentage,
        "DestinationS3Uri": bucket.uri("capture"),
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }


def canary(wait: int, *alarms: str, share: int = 50) -> dict[str, Any]:
    """A DeploymentConfig: `share` percent of the traffic for `wait` seconds, then all; the alarms bring it back."""
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": wait,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": share},
    }
    config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}
    return config


def baking(clients: Clients, name: str) -> dict[str, Any]:
    """Wait until the new fleet bakes; the summary of the deployment."""

    def summary() -> dict[str, Any]:
        found = clients.sagemaker.describe_endpoint(EndpointName=name)
        return dict(found.get("PendingDeploymentSummary", {}))

    def is_baking() -> bool:
        variants = summary().get("ProductionVariants", [])
        return bool(variants) and variants[0]["VariantStatus"][0]["Status"] == "Baking"

    eventually(is_baking)
    return summary()


@dataclass
class Load:
    """Requests one after the other from several threads, until it is stopped; what came back."""

    call: Callable[[], bytes]
    threads: int = 4
    answers: list[bytes] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Load during the block, at whose end every request has its answer."""
        workers = [threading.Thread(target=self._work, name="load") for _ in range(self.threads)]
        for worker in workers:
            worker.start()
        try:
            yield self
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()

    def more(self, count: int) -> None:
        """Wait until `count` more answers have come."""
        wanted = len(self.answers) + count
        eventually(lambda: len(self.answers) >= wanted or self.errors)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers.append(self.call())
            except Exception as error:  # the test looks at them
                self.errors.append(error)
                return
