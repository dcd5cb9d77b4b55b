"""Clients that answer what a test prepared: botocore's own model of the service checks every request and answer."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from project import aws

Stubs = dict[str, Stubber]
SERVICES = ("sagemaker", "s3", "ssm", "logs")


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubs]:
    """A stub per service that answers in order and refuses every other call; all answers must be used."""
    clients = {
        name: boto3.client(name, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for name in SERVICES
    }
    stubbers = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(aws, "client", clients.__getitem__)
    for stubber in stubbers.values():
        stubber.activate()
    yield stubbers
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()
