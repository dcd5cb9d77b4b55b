"""What an account may answer instead of working: throttling, an expired token, a missing permission, a rejection.

A server on the loopback interface plays the account, so every request is botocore's own.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore.endpoint
import pytest
from click.testing import CliRunner

from pipelines.definition.build import Built
from pipelines.runs import upsert
from project import aws, settings
from project.errors import CloudError
from project.names import Names
from scones.cli import main

CALLER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
ATTEMPTS = 6  # one call and five more


class Account:
    """Answers like AWS: who is calling, and to everything else what the test says, the last answer for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, object]]] = []
        self.asked: list[str] = []
        self.identity: tuple[int, str] = (200, CALLER)
        self.pauses: list[float] = []

    def refuse(self, code: str, message: str, times: int = 1) -> None:
        self.answers += [(400, {"__type": code, "message": message})] * times

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        if b"GetCallerIdentity" in body:
            return self.identity[0], self.identity[1].encode()
        self.asked.append(request.headers["X-Amz-Target"].rpartition(".")[2])
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, json.dumps(content).encode()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    played = Account()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = played.answer(self, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for name in [name for name in os.environ if name.startswith(("AWS_", "SCONES_"))]:
        monkeypatch.delenv(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    wanted = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in {**wanted, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the first one keeps these credentials for all that follow
    monkeypatch.setattr(botocore.endpoint.time, "sleep", played.pauses.append)
    for cached in (aws.client, aws.names, settings.load):
        cached.cache_clear()
    yield played
    server.shutdown()
    thread.join()
    server.server_close()
    for cached in (aws.client, aws.names, settings.load):
        cached.cache_clear()


def failure(*words: str) -> CloudError:
    result = CliRunner().invoke(main.scones, words)
    assert isinstance(result.exception, CloudError), result.output
    return result.exception


def test_throttling_that_ends_is_waited_for(account: Account) -> None:
    account.refuse("ThrottlingException", "Rate exceeded", times=2)
    account.refuse("ValidationException", 'Could not find endpoint "scones-unlimited".')
    result = CliRunner().invoke(main.scones, ["endpoint", "stop"])
    assert result.exit_code == 0, result.output
    assert account.asked == ["DescribeEndpoint"] * 3
    assert len(account.pauses) == 2


def test_throttling_that_does_not_end_comes_to_an_end(account: Account) -> None:
    account.refuse("ThrottlingException", "Rate exceeded")
    found = failure("endpoint", "stop")
    assert "Rate exceeded" in found.problem
    assert account.asked == ["DescribeEndpoint"] * ATTEMPTS


def test_an_expired_token_is_one_line_with_the_fix(account: Account) -> None:
    account.identity = (
        403,
        "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>over</Message></Error></ErrorResponse>",
    )
    found = failure("cleanup")
    assert "ExpiredToken" in found.problem
    assert "Refresh the credentials" in found.fix
    assert account.asked == []


def test_a_missing_permission_names_action_and_resource_as_aws_does(account: Account) -> None:
    said = "User: me is not authorized to perform: sagemaker:DescribeEndpoint on resource: endpoint/scones-unlimited"
    account.refuse("AccessDeniedException", said)
    found = failure("endpoint", "stop")
    assert said in found.problem
    assert "policy lacks" in found.fix
    assert account.asked == ["DescribeEndpoint"], "what is forbidden is not tried again"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "User me is not authorized to perform: iam:PassRole on resource: the-role"),
        ("ValidationException", "Unable to parse pipeline definition. Step Train: unknown argument."),
    ],
)
def test_an_upsert_that_is_refused_fails_with_the_apis_own_reason(account: Account, code: str, message: str) -> None:
    account.refuse("ResourceNotFound", "Pipeline 'scones-unlimited' does not exist.")
    account.refuse(code, message)
    definition = {"Version": "2020-12-01", "Steps": [], "Parameters": []}
    with pytest.raises(CloudError) as caught:
        upsert.upsert(Built(Names(settings.Settings(), "123456789012"), definition, ()))
    assert message in caught.value.problem
    assert account.asked == ["DescribePipeline", "CreatePipeline"]


def test_credentials_of_another_account_lead_to_other_names_not_to_a_mixture(account: Account) -> None:
    assert aws.names().bucket == "scones-unlimited-123456789012-us-east-1"
    assert ":123456789012:" in aws.names().pipeline_role
