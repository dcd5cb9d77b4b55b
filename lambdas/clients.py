"""boto3 clients, made once per execution environment and only when first used.

The environment says where they connect. The inference functions leave retrying to their state machine, where it shows
and where waiting costs nothing; the batch function works through many pictures and retries by itself.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config


@cache
def s3() -> Any:
    """S3, with botocore's own three attempts: a read is cheap to repeat."""
    return _client("s3", _config(attempts=3, read_timeout=20))


@cache
def ssm() -> Any:
    """Systems Manager: one parameter, read while a delivery waits."""
    return _client("ssm", _config(attempts=3, read_timeout=5))


@cache
def runtime(attempts: int = 1) -> Any:
    """The SageMaker runtime; it gives up well before the function's own time limit, so that a time-out has a name."""
    return _client("sagemaker-runtime", _config(attempts, read_timeout=20))


@cache
def sagemaker() -> Any:
    """SageMaker's control plane: throttled easily, and no caller waits for the answer."""
    return _client("sagemaker", _config(attempts=8, read_timeout=60))


@cache
def autoscaling() -> Any:
    """Application Auto Scaling: the endpoint's instance count."""
    return _client("application-autoscaling", _config(attempts=5, read_timeout=20))


@cache
def events() -> Any:
    """EventBridge: the deploy workflow enables a rule."""
    return _client("events", _config(attempts=5, read_timeout=20))


@cache
def scheduler() -> Any:
    """EventBridge Scheduler: the monitor's schedule."""
    return _client("scheduler", _config(attempts=5, read_timeout=20))


@cache
def cloudwatch() -> Any:
    """CloudWatch: metrics of the monitor's runs, and alarms."""
    return _client("cloudwatch", _config(attempts=5, read_timeout=20))


@cache
def sns() -> Any:
    """SNS: alerts."""
    return _client("sns", _config(attempts=5, read_timeout=20))


def _client(service: str, config: Config) -> Any:
    import boto3  # a quarter of a second: only functions that call AWS pay for it

    return boto3.client(service, config=config)


def _config(attempts: int, read_timeout: float) -> Config:
    from botocore.config import Config

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=5, read_timeout=read_timeout
    )
