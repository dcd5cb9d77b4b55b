"""Clients for AWS.

The environment says where they connect (`AWS_ENDPOINT_URL*`); nothing here knows which cloud answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from project import settings
from project.errors import CloudError
from project.names import Names

RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=70)
ONCE = Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=5, read_timeout=10)
"""For the first question of a command: with no cloud there, the answer must come at once, not after back-off."""


@cache
def client(service: str) -> Any:
    """A boto3 client for `service` in the project's region, with bounded back-off on throttling."""
    with explained(f"connecting to {service}"):
        return boto3.client(service, region_name=settings.load().region, config=RETRIES)


@cache
def names() -> Names:
    """The project's names in the account that the credentials belong to.

    Raises:
        CloudError: no credentials, expired ones, or no answer.
    """
    chosen = settings.load()
    with explained("asking which account this is"):
        sts = boto3.client("sts", region_name=chosen.region, config=ONCE)
        return Names(chosen, sts.get_caller_identity()["Account"])


def bills() -> bool:
    """Whether calls reach AWS, which bills them; not if an endpoint of one's own answers, such as the local cloud's."""
    host = str(urlsplit(client("sagemaker").meta.endpoint_url).hostname)
    return host.endswith(("amazonaws.com", "amazonaws.com.cn", "api.aws"))


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn boto's exceptions into a CloudError that says what was being done and what to do next."""
    try:
        yield
    except NoCredentialsError:
        raise CloudError(
            f"{doing}: no AWS credentials.",
            'On one machine: scones local up, then eval "$(scones local env)". On AWS: set AWS_PROFILE.',
        ) from None
    except EndpointConnectionError as error:
        raise CloudError(
            f"{doing}: no answer from {error.kwargs.get('endpoint_url', 'the endpoint')}.",
            "Is the local cloud up? See: scones local status.",
        ) from None
    except ClientError as error:
        code = error.response["Error"].get("Code", "Unknown")
        message = error.response["Error"].get("Message", "no message")
        raise CloudError(f"{doing}: {code}: {message}", _fix_for(code)) from error
    except BotoCoreError as error:
        raise CloudError(f"{doing}: {error}") from error


def already_exists(error: ClientError) -> bool:
    """Whether a Create was refused because there is one of that name: SageMaker has no code of its own for it."""
    answer = error.response["Error"]
    return answer.get("Code") in {"ConflictException", "ResourceInUse"} or "already exist" in answer.get("Message", "")


def _fix_for(code: str) -> str:
    if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
        return "Refresh the credentials and run the command again."
    if code in {"AccessDenied", "AccessDeniedException"}:
        return "The caller's policy lacks this action."
    if code in {"ThrottlingException", "Throttling", "TooManyRequestsException"}:
        return "AWS limits how often it is asked: try again in a minute."
    if code in {"NoSuchBucket", "404", "ParameterNotFound", "StateMachineDoesNotExist"}:
        return "Create the project's resources first: scones infra deploy."
    return ""


def ask_function(name: str, what: str, event: dict[str, Any]) -> dict[str, Any]:
    """The answer of a Lambda function.

    Args:
        what: what it is asked to do, for messages.

    Raises:
        CloudError: there is no such function, or it raised something.
    """
    with explained(f"asking function {name} to {what}"):
        response = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        answer: dict[str, Any] = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        raise CloudError(
            f"Asking function {name} to {what}: {answer.get('errorMessage', answer)}",
            f"Its log: scones logs {name}.",
        )
    return answer
