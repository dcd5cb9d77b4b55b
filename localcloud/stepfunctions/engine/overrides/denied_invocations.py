"""A function that the state machine's role may not invoke fails the task as Lambda.AWSLambdaException.

AWS: an execution quoted in a public issue of 2022 (aws-deployment-framework 460). The SDK has no exception class for
Lambda's AccessDeniedException, so the error's name is that of its common one; the cause names the code.
"""

from __future__ import annotations

import uuid

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)

DENIED = "AccessDeniedException"
NAME = "Lambda.AWSLambdaException"


def apply() -> None:
    """Replace what names the error of a refused request."""
    original = StateTaskServiceLambda._error_cause_from_client_error

    def named(client_error: ClientError) -> tuple[str, str]:
        client_error.response["ResponseMetadata"].setdefault("RequestId", str(uuid.uuid4()))  # MiniStack's have none
        error, cause = original(client_error)
        return (NAME if client_error.response["Error"]["Code"] == DENIED else error), cause

    StateTaskServiceLambda._error_cause_from_client_error = staticmethod(named)
