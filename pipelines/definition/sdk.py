"""The one place that tames the SageMaker SDK, so that rendering a pipeline is quiet, offline, quick and repeatable."""

from __future__ import annotations

import functools
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from project.names import Names

IGNORED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@contextmanager
def tamed(region: str) -> Iterator[None]:
    """Import and use the SDK inside this block; outside of it nothing is changed. Inside:

    - a region is set, because importing `sagemaker.mlops` creates a client that wants one;
    - the user's AWS profiles, credentials and SageMaker configuration are not read: they would change the definition,
      and without credentials each of the SDK's sessions would ask the network for some;
    - boto3's default session, which keeps the first credentials it finds, is another one than outside;
    - role arguments are not looked up in IAM;
    - nothing is logged or warned (the SDK announces every request it captures) or reported as telemetry. Opting out of
      that by configuration would cost five seconds of schema checks;
    - botocore parses each of its model files once, not once per session: the SDK makes five sessions per rendering.
    """
    settled = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": os.devnull,
    }
    with ExitStack() as undo:
        undo.enter_context(_environment(settled))
        undo.enter_context(_silence())

        import boto3
        from botocore.loaders import JSONFileLoader

        undo.enter_context(_replaced(boto3, "DEFAULT_SESSION", None))

        from sagemaker.core.telemetry import telemetry_logging

        parse = functools.cache(JSONFileLoader().load_file)
        undo.enter_context(_replaced(JSONFileLoader, "load_file", lambda _, path: parse(path)))
        undo.enter_context(_replaced(telemetry_logging, "_send_telemetry_request", lambda *_, **__: None))
        yield


def offline_session(names: Names) -> Any:
    """A PipelineSession that captures requests and refuses to send any. Make it inside `tamed`."""
    import boto3
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    boto_session = boto3.Session(region_name=names.settings.region)
    boto_session.events.register("before-call", _refuse_to_send)
    session = PipelineSession(boto_session=boto_session, default_bucket=names.bucket)
    session._default_bucket = names.bucket  # spares the SDK's check that the bucket exists
    return session


def _refuse_to_send(model: Any, **_: Any) -> None:
    raise AssertionError(f"rendering a pipeline must not call AWS, but the SDK called {model.name}")


@contextmanager
def _environment(settled: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in IGNORED:
        os.environ.pop(name, None)
    os.environ.update(settled)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _silence() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.handlers[:], root.level = handlers, level
