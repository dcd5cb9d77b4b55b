"""Names of an execution's staging endpoint and its configurations; pipelines/definition/staging_steps.py makes them."""

from __future__ import annotations

from lambdas import configuration

KINDS = ("instance", "serverless")


def endpoint_name(execution: str) -> str:
    """The endpoint of the execution with that id."""
    return f"{configuration.required('STAGING_PREFIX')}-{execution}"


def config_names(endpoint: str) -> list[str]:
    """The configurations that its execution made."""
    return [f"{endpoint}-{kind}" for kind in KINDS]
