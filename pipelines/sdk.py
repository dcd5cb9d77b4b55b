"""The one place that tames the SageMaker SDK, so that rendering a pipeline is quiet, offline and repeatable."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scones.names import Names


@contextmanager
def tamed(region: str) -> Iterator[None]:
    """Import and use the SDK inside this block.

    Outside of it the environment, the log and the warnings are as they were. Inside:

    - a region is set, because importing `sagemaker.mlops` creates a client that wants one;
    - role arguments are not looked up in IAM;
    - the user's and the machine's SageMaker configuration files are not read: they would change the definition;
    - nothing is logged or warned (the SDK announces every request it captures) or reported as telemetry.
    """
    quiet = {
        "AWS_DEFAULT_REGION": region,
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": os.devnull,
    }
    before = {name: os.environ.get(name) for name in quiet}
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    os.environ.update(quiet)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _switch_telemetry_off()
            yield
    finally:
        logging.disable(disabled)
        root.handlers[:], root.level = handlers, level
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _switch_telemetry_off() -> None:
    """Replace the function that sends: opting out by configuration costs five seconds of schema checks per render."""
    from sagemaker.core.telemetry import telemetry_logging

    telemetry_logging._send_telemetry_request = lambda *args, **kwargs: None


def offline_session(names: Names) -> Any:
    """A PipelineSession that captures requests and refuses to send any.

    Its credentials are placeholders: a client cannot be created without asking the machine for some.
    """
    import boto3
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    boto_session = boto3.Session(
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 (a placeholder: this session sends nothing)
        region_name=names.settings.region,
    )
    boto_session.events.register("before-call", _refuse_to_send)
    session = PipelineSession(boto_session=boto_session, default_bucket=names.bucket)
    session._default_bucket = names.bucket  # spares the SDK's check that the bucket exists
    return session


def _refuse_to_send(model: Any, **_: Any) -> None:
    raise AssertionError(f"rendering a pipeline must not call AWS, but the SDK called {model.name}")
