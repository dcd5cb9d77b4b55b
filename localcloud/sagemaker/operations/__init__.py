"""The API operations that the local SageMaker implements: one module for each kind of resource."""

from __future__ import annotations

from localcloud.service.operations import load as load_operations

MODULES = (
    "callbacks",
    "endpoint_configs",
    "endpoints",
    "executions",
    "model_package_groups",
    "model_package_policies",
    "model_packages",
    "models",
    "monitoring_job_definitions",
    "monitoring_schedules",
    "pipelines",
    "processing",
    "search",
    "tags",
    "training",
    "transform",
    "tuning",
)
"""The modules of this package that hold operations."""


def load() -> None:
    """Import every module that registers operations."""
    load_operations(__name__, MODULES)
