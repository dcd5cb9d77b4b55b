"""HTTP requests to the local SageMaker's port that are no requests of AWS's clients."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from damaged_files import damaged
from engine_support import world_on
from starlette.types import ASGIApp

from localcloud.sagemaker.server import application

PATHS = (
    *("/", "/ping", "/endpoints/e/invocations", "/endpoints/%2e%2e/invocations", "//", "/a" * 3000),
    *("/endpoints//x", "/\u00ff"),
)
METHODS = ("POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW")
TARGETS = (
    *("SageMaker.ListModels", "SageMaker.DescribeModel", "SageMaker.", "AWSStepFunctions.ListStateMachines"),
    *("SageMaker.\xff", "", "x" * 60_000, "SageMaker." + "x" * 60_000),
)
CREDENTIAL = "AWS4-HMAC-SHA256 Credential=test/20260101/{}/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
AUTHORIZATIONS = (
    *("", "AWS4-HMAC-SHA256", "Basic Og=="),
    *(CREDENTIAL.format(region) for region in ("us-east-1", "..", "x" * 999, "\xff")),
)
BODIES = (
    *(b"", b"{}", b'{"ModelName": "m"}', b"[]", b"null", b"\xff\xfe", b"{" * 50_000, b'{"MaxResults": 1e999}'),
    *(b'{"NextToken": "\\ud800"}', b"9" * 5000, b'{"ModelName": "' + b"x" * 1_000_000 + b'"}'),
)
KINDS = (b"application/x-amz-json-1.1", b"text/html")
LONGEST = 20_000
"""Bytes of an answer; one that repeats what was sent grows with it."""


def faults_of_http(seed: int, count: int) -> Counter[str]:
    """What the port answers to `count` requests, if that is a failure of its own."""
    draw, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, world_on(Path(folder) / "world") as world:
        port = application(world.cloud)

        async def send_all() -> None:
            for _ in range(count):
                if said := await _fault(port, draw):
                    found[said] += 1

        asyncio.run(send_all())
    return found


async def _fault(port: ASGIApp, draw: random.Random) -> str:
    body = draw.choice(BODIES) if draw.random() < 0.5 else damaged(b'{"ModelName": "m", "MaxResults": 3}', draw)
    headers = [(b"host", b"127.0.0.1:4567"), (b"content-type", draw.choice(KINDS))]
    for name, values in ((b"x-amz-target", TARGETS), (b"authorization", AUTHORIZATIONS)):
        if draw.random() < 0.9:
            headers.append((name, draw.choice(values).encode("latin-1")))
    path, method = (draw.choice(PATHS), draw.choice(METHODS)) if draw.random() < 0.3 else ("/", "POST")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": draw.choice((b"", b"a=%ff", b"&" * 1000)),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 4567),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await asyncio.wait_for(port(scope, receive, send), 30)
        status = sent[0]["status"]
        answer = b"".join(message.get("body", b"") for message in sent[1:])
        if status >= 500 and b"NotImplemented" not in answer:
            return f"{method} {path[:40]}: {status} {answer[:200]!r}"
        if b"amz-json" in dict(sent[0]["headers"]).get(b"content-type", b""):
            json.loads(answer)
        return f"{len(answer)} bytes of answer to {method} {path[:40]}" if len(answer) > LONGEST else ""
    except Exception as error:  # what a fuzzer is for
        return f"{method} {path[:40]}: {type(error).__name__}: {error}"[:300]
