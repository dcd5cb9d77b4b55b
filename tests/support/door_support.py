"""What a web page would ask of the local cloud, and a cloud for it to ask: one that holds nobody to roles."""

from __future__ import annotations

import base64
import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from localcloud import up
from localcloud.environment import HOST

TEXT = {"Content-Type": "text/plain"}
"""A type with which a page may POST anywhere without asking first."""


@pytest.fixture(scope="module")
def open_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[up.Running]:
    """A local cloud as `scones local up` starts it."""
    state = tmp_path_factory.mktemp("open-cloud") / "state"
    yield up.start(state, port=0, sagemaker_port=0)
    up.stop(state)


def client(cloud: up.Running, service: str, **options: Any) -> Any:
    """A boto3 client of the cloud."""
    url = cloud.addresses.sagemaker if service.startswith("sagemaker") else cloud.addresses.ministack
    session = boto3.Session("test", "test", region_name=cloud.addresses.region)
    return session.client(service, **{"endpoint_url": url, **options})


def new_function(name: str) -> str:
    """The body of Lambda's CreateFunction."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("f.py", "def handler(event, context):\n    return 'ran'\n")
    return json.dumps(
        {
            "FunctionName": name,
            "Runtime": "python3.11",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Handler": "f.handler",
            "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
        }
    )


FUNCTIONS = "/2015-03-31/functions"


def new_queue(name: str) -> str:
    """The path and query of SQS's CreateQueue, which a picture's address may be."""
    return f"/?Action=CreateQueue&QueueName={name}&Version=2012-11-05"


def asked(
    port: int, method: str, path: str = "/", headers: dict[str, str] | None = None, body: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of the answer to a request with just these headers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body.encode(), headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def resources(cloud: up.Running) -> dict[str, list[str]]:
    """Names of the functions, buckets, queues and models that there are."""
    return {
        "functions": [one["FunctionName"] for one in client(cloud, "lambda").list_functions()["Functions"]],
        "buckets": [one["Name"] for one in client(cloud, "s3").list_buckets()["Buckets"]],
        "queues": [url.rpartition("/")[2] for url in client(cloud, "sqs").list_queues().get("QueueUrls", [])],
        "models": [one["ModelName"] for one in client(cloud, "sagemaker").list_models()["Models"]],
    }
