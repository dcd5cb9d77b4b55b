"""A local Step Functions on loopback, with functions that a small server stands in for."""

from __future__ import annotations

import contextlib
import http.server
import json
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from cloud_fixtures import clean_environment, eventually

from localcloud import parts, ports

ROLE = "arn:aws:iam::000000000000:role/any"
Function = Callable[[Any], Any]


class FunctionError(Exception):
    """What a function of a test raises: the name of the error, and its message."""


@dataclass
class Machines:
    """A client of a running server, and what tests do with it again and again."""

    client: Any
    process: subprocess.Popen[bytes] | None = None

    def make(self, states: dict[str, Any], name: str = "made", kind: str = "STANDARD", **top: Any) -> str:
        definition = {"StartAt": next(iter(states)), "States": states, **top}
        answer = self.client.create_state_machine(name=name, roleArn=ROLE, type=kind, definition=json.dumps(definition))
        return str(answer["stateMachineArn"])

    def run(self, states: dict[str, Any], value: Any = None, name: str = "made", **top: Any) -> dict[str, Any]:
        """Start a new state machine on `value` and describe the execution at its end."""
        machine = self.make(states, name, **top)
        started = self.client.start_execution(stateMachineArn=machine, input=json.dumps({} if value is None else value))
        return self.ended(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        eventually(lambda: self.client.describe_execution(executionArn=execution)["status"] != "RUNNING", 60)
        return dict(self.client.describe_execution(executionArn=execution))

    def events(self, execution: str, **options: Any) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution, **options)
        return [event for page in pages for event in page["events"]]


@contextlib.contextmanager
def serving(
    state: Path, functions: dict[str, Function] | None = None, inside: tuple[str, ...] = ()
) -> Iterator[Machines]:
    """A server process on a free port and on `state`; it is killed at the end. `inside`: a command that starts it."""
    with _lambdas(functions or {}) as services:
        (port,) = ports.free(1)
        command = [sys.executable, "-P", "-m", "localcloud.stepfunctions", "--state", str(state), "--port", str(port)]
        with subprocess.Popen(
            [*inside, *command, "--ministack", services], env=clean_environment(state.parent)
        ) as process:
            try:
                eventually(lambda: process.poll() is not None or parts.healthy(port, "/ping"), 60)
                assert process.poll() is None, "the server ended at once"
                yield Machines(client_of(port), process)
            finally:
                process.kill()


def client_of(port: int, **settings: Any) -> Any:
    """A client as `localcloud env` makes it: the user name in the address lets host prefixes pass."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=f"http://local@127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=90, **settings),
    )


@contextlib.contextmanager
def _lambdas(functions: dict[str, Function]) -> Iterator[str]:
    """Lambda's Invoke operation for the given functions, by name."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = urllib.parse.unquote(self.path).split("/functions/")[1].split("/")[0].split(":")[-1]
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
            if name not in functions:
                self.answer(404, {"Message": f"Function not found: {name}"}, "ResourceNotFoundException", "error")
                return
            try:
                self.answer(200, functions[name](event))
            except FunctionError as error:
                kind, message = error.args
                self.answer(200, {"errorMessage": message, "errorType": kind, "stackTrace": []}, "Unhandled")

        def answer(self, status: int, body: Any, error: str = "", kind: str = "function-error") -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            if error:
                header = {"error": "x-amzn-errortype", "function-error": "X-Amz-Function-Error"}[kind]
                self.send_header(header, error)
            self.send_header("X-Amz-Executed-Version", "$LATEST")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def call(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task's state, the last one unless it has a Next."""
    ends = {} if "Next" in more else {"End": True}
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, **ends, **more}


def succeeded(ended: dict[str, Any]) -> Any:
    """The output of an execution that ended well."""
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    return json.loads(ended["output"])
