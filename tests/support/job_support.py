"""A local SageMaker inside the test's own process, on the session's MiniStack, and requests for its jobs."""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from cloud_fixtures import LocalCloud, eventually, process_inside

from localcloud.image_table import FILE, VARIABLE
from localcloud.isolation.view import WRITABLE_VARIABLE
from localcloud.sagemaker import operations
from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs import folder
from localcloud.sagemaker.jobs.child import JOB_VARIABLE
from localcloud.sagemaker.server import shut_down

ROLE = "arn:aws:iam::000000000000:role/job-role"
REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
SCIKIT_LEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py3"
PYTORCH = f"{REGISTRY}/pytorch-training:2.10-cpu-py313"
DONE = {"Completed", "Failed", "Stopped"}
CODE = "/opt/ml/processing/input/code"
OUTPUT = "/opt/ml/processing/output"
SLEEPS = """
    import os, signal, sys
    print(f"ready {os.getpid()} ", flush=True)
    signal.pause()
"""
SAVES_WHEN_STOPPED = """
    import os, signal, sys
    model = os.environ["SAGEMAKER_BASE_DIR"] + "/model/weights"

    def save(number, frame):
        open(model, "w").write("half trained")
        sys.exit(0)

    signal.signal(signal.SIGTERM, save)
    print(f"ready {os.getpid()} ", flush=True)
    signal.pause()
"""


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@dataclass(frozen=True)
class Bucket:
    """A bucket of the test's own."""

    s3: Any
    name: str

    def put(self, key: str, body: str | bytes) -> str:
        data = textwrap.dedent(body).encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def uri(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"


@pytest.fixture(scope="session")
def clients() -> dict[str, Any]:
    """Clients of the session's MiniStack by service; to make one takes longer than many a test."""
    return {}


@pytest.fixture
def cloud(
    local_cloud: LocalCloud, clients: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    """A local SageMaker without its HTTP server; what it works on is stopped with the test.

    Its jobs and models see the test's own folder, where they find files that the test gives them a sign with.
    """
    monkeypatch.setenv(WRITABLE_VARIABLE, str(tmp_path))
    operations.load()
    state = tmp_path / "a state, with ä"
    state.mkdir()
    made = Cloud(state, local_cloud.addresses.ministack, local_cloud.addresses.sagemaker, _clients=clients)
    yield made
    shut_down(made)
    made.store.close()


@pytest.fixture
def bucket(local_cloud: LocalCloud, clients: dict[str, Any], tmp_path: Path) -> Bucket:
    s3 = Cloud(tmp_path, local_cloud.addresses.ministack, "", _clients=clients).s3
    name = unique("jobs")
    s3.create_bucket(Bucket=name)
    return Bucket(s3, name)


def processing(bucket: Bucket, code: str, *arguments: str, **changes: Any) -> dict[str, Any]:
    """A request for a processing job that runs `code` and uploads what it leaves in OUTPUT to out/."""
    source = bucket.put("code/job.py", code)
    request = {
        "ProcessingJobName": unique("processing"),
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["python3", f"{CODE}/job.py"],
            "ContainerArguments": list(arguments or ["nothing"]),
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [processing_input("code", source, CODE)],
        "ProcessingOutputConfig": {"Outputs": [processing_output("result", bucket.uri("out"), OUTPUT)]},
    }
    return {**request, **changes}


def processing_input(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def processing_output(name: str, uri: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


def training(bucket: Bucket, code: str, *arguments: str, **changes: Any) -> dict[str, Any]:
    """A request for a training job that runs `code` from its channel `code`."""
    bucket.put("training-code/job.py", code)
    request = {
        "TrainingJobName": unique("training"),
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": PYTORCH,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/job.py"],
            "ContainerArguments": list(arguments or ["nothing"]),
            "MetricDefinitions": [{"Name": "accuracy", "Regex": "accuracy=([0-9.a-z]+)"}],
        },
        "HyperParameters": {"epochs": "2"},
        "InputDataConfig": [channel("code", bucket.uri("training-code/"))],
        "OutputDataConfig": {"S3OutputPath": bucket.uri("models/")},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {**request, **changes}


def channel(name: str, uri: str, **more: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}, **more}


def transform(bucket: Bucket, model: str, **changes: Any) -> dict[str, Any]:
    """A request for a transform job over in/ to scored/."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": bucket.uri("in/")}}
    request = {
        "TransformJobName": unique("transform"),
        "ModelName": model,
        "TransformInput": {"DataSource": source, "ContentType": "application/x-image"},
        "TransformOutput": {"S3OutputPath": bucket.uri("scored"), "Accept": "application/json"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "BatchStrategy": "SingleRecord",
    }
    return {**request, **changes}


def several(request: dict[str, Any], count: int) -> dict[str, Any]:
    """The request of a job, with so many instances."""
    if "ProcessingResources" in request:
        request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = count
    else:
        resources = request.get("TransformResources") or request["ResourceConfig"]
        resources["InstanceCount"] = count
    return request


def start(cloud: Cloud, request: dict[str, Any]) -> str:
    """Create a job of the kind that the request names; its name."""
    kind = kind_of(request)
    cloud.call(f"Create{kind}", request)
    return str(request[f"{kind}Name"])


def finish(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Create a job and wait for its end; what Describe says then."""
    name = start(cloud, request)
    return ended(cloud, kind_of(request), name)


def ended(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    """Wait for a job's end; what Describe says then."""
    await_that(cloud, lambda: described(cloud, kind, name)[f"{kind}Status"] in DONE)
    return described(cloud, kind, name)


def described(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    return cloud.call(f"Describe{kind}", {f"{kind}Name": name})


def await_that(cloud: Cloud, condition: Callable[[], object]) -> None:
    """Wait for something that is announced."""
    with cloud.changed:
        assert cloud.changed.wait_for(condition, timeout=60)


def log_of(cloud: Cloud, kind: str, name: str, host: str = "algo-1") -> str:
    """What the job's program has printed so far on one of its instances."""
    path = folder.folder(cloud.folder, kind, name).of_host(host).log
    return path.read_text() if path.exists() else ""


def ready(cloud: Cloud, kind: str, name: str) -> psutil.Process:
    """Wait until the job's program says that it is ready; its process."""
    eventually(lambda: log_of(cloud, kind, name).endswith(" \n"))
    number = int(log_of(cloud, kind, name).split()[1])
    return process_inside(number, JOB_VARIABLE, str(folder.folder(cloud.folder, kind, name).root))


def kind_of(request: dict[str, Any]) -> str:
    return next(kind for kind in ("ProcessingJob", "TrainingJob", "TransformJob") if f"{kind}Name" in request)


ServingModel = Callable[..., str]


@pytest.fixture
def serving_model(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServingModel:
    """Make a model whose serving program answers with `answer(body, headers) -> (status, bytes)`, given as source."""
    table = tmp_path / FILE
    monkeypatch.setenv(VARIABLE, str(table))

    def make(source: str, **more: Any) -> str:
        script = tmp_path / f"{unique('serve')}.py"
        script.write_text(textwrap.dedent(SERVER) + textwrap.dedent(source) + "\nrun(answer)\n")
        repository = unique("serving")
        with table.open("a") as rows:
            rows.write(f'[images.{repository}]\nserve = ["python3", "{script}"]\n')
        name = unique("model")
        container = {"Image": f"{REGISTRY}/{repository}:1"}
        request = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE, **more}
        cloud.call("CreateModel", request)
        return name

    return make


SERVER = """
import http.server, json, os, sys, threading

parameters = None

def run(answer):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def reply(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path == "/ping":
                self.reply(200, b"")
            elif parameters is not None:
                self.reply(200, json.dumps(parameters).encode())
            else:
                self.reply(404, b"")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(*answer(body, self.headers))

        def log_message(self, *words):
            pass

    address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()

"""
