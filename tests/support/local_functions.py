"""Create and call Lambda functions of the local cloud, for tests of what their authors meet."""

from __future__ import annotations

import base64
import io
import json
import uuid
import zipfile
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cloud_fixtures import ANY_ROLE, LocalCloud


class Functions:
    """Functions of a running local cloud, and calls of them."""

    def __init__(self, cloud: LocalCloud) -> None:
        address = {"endpoint_url": cloud.addresses.ministack, "region_name": "us-east-1"}
        session = boto3.Session("test", "test")
        once = Config(retries={"total_max_attempts": 1}, max_pool_connections=200, read_timeout=120)
        self.client = session.client("lambda", **address, config=once)
        self.logs = session.client("logs", **address)

    def create(self, source: str, handler: str = "index.handler", **settings: Any) -> str:
        """The name of a new function, whose file is `index.py`."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("index.py", source)
        name = f"function-{uuid.uuid4().hex[:8]}"
        self.client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler=handler,
            Role=ANY_ROLE,
            Code={"ZipFile": archive.getvalue()},
            **settings,
        )
        return name

    def call(self, name: str, event: Any = None) -> tuple[str | None, bytes, str]:
        """What kind of error it is, the payload, and the log's end."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return answer.get("FunctionError"), answer["Payload"].read(), log

    def log(self, name: str) -> list[str]:
        """All lines that the function has logged so far."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        try:
            return [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []  # not called yet

    def error(self, name: str, event: Any = None) -> dict[str, Any]:
        """The document of a call that fails."""
        kind, payload, _ = self.call(name, event)
        assert kind == "Unhandled"
        document: dict[str, Any] = json.loads(payload)
        return document


@pytest.fixture(scope="session")
def functions(local_cloud: LocalCloud) -> Functions:
    """The functions of the session's local cloud."""
    return Functions(local_cloud)
