"""An endpoint as a user meets it: the aws command, the capture in S3, kill -9 of the server, down and up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from capture_schema import check_capture_file
from cloud_fixtures import eventually, started_with
from commands import clean_environment
from endpoint_support import Clients, capture, clients_of, word_model
from job_support import Bucket

from localcloud import up
from localcloud.isolation.offer import offered
from localcloud.record import read

INVOKE = (
    "echo -n picture > in.png; aws sagemaker-runtime invoke-endpoint --endpoint-name {} --body fileb://in.png out.json"
)


@pytest.fixture
def running(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[up.Running]:
    """A local cloud of the test's own that writes captured data after half a second."""
    monkeypatch.setenv("LOCALCLOUD_CAPTURE_SECONDS", "0.5")
    found = up.start(state, port=0, sagemaker_port=0)
    for name, value in up.environment(found).items():
        monkeypatch.setenv(name, value)
    yield found


def aws(command: str, folder: Path, running: up.Running) -> str:
    environment = {**clean_environment(folder), **up.environment(running)}
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def serving_processes(state: Path) -> list[int]:
    roots = [str(path) for path in state.glob("regions/*/endpoints/*/*/*")]
    return [pid for root in roots for pid in started_with("LOCALCLOUD_JOB", root)]


def test_an_endpoint_survives_kill_9_and_a_clean_restart(running: up.Running, tmp_path: Path) -> None:
    state, clients = running.state, clients_of(running.addresses.sagemaker)
    bucket = Bucket(boto3.client("s3"), "endpoints")
    bucket.s3.create_bucket(Bucket=bucket.name)
    model = word_model(clients.sagemaker, bucket, "bicycle")
    name = clients.serve(clients.config(model, DataCaptureConfig=capture(bucket)))
    shown = json.loads(aws(INVOKE.format(name), tmp_path, running))
    assert shown["InvokedProductionVariant"] == "AllTraffic"
    assert json.loads((tmp_path / "out.json").read_bytes()) == ["bicycle", 7]
    eventually(lambda: bucket.keys("capture/"))
    (key,) = bucket.keys("capture/")
    check_capture_file(key.rpartition("/")[2], bucket.get(key))

    (first,) = serving_processes(state)
    found = read(state)
    assert found is not None
    os.kill(found.parts["sagemaker"].pid, signal.SIGKILL)
    eventually(lambda: up.status(state)[1].status == "crashed")
    eventually(lambda: serving_processes(state) == ([] if offered().private else [first]))
    up.start(state)
    _serves(clients, name)
    assert first not in serving_processes(state)
    assert len(serving_processes(state)) == 1

    up.stop(state)
    assert serving_processes(state) == []
    clients = clients_of(up.start(state, port=0, sagemaker_port=0).addresses.sagemaker)
    _serves(clients, name)
    clients.delete(name)
    eventually(lambda: not serving_processes(state))
    up.stop(state)


def _serves(clients: Clients, name: str) -> None:
    found = clients.settled(name)
    assert (found["EndpointStatus"], found.get("FailureReason")) == ("InService", None)
    assert json.loads(clients.invoke(name, b"1234")) == ["bicycle", 4]
