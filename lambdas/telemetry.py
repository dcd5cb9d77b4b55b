"""Loggers and metrics. No image bytes and no credentials are ever logged: handlers log names, outcomes and numbers.

Metrics go to CloudWatch as embedded metric format lines in the log, namespace Scones/Inference, dimensions `service`
and `project`. Each bills by the month, so there are those that the dashboard shows, and no others.
"""

from __future__ import annotations

import os

from aws_lambda_powertools import Logger, Metrics

NAMESPACE = "Scones/Inference"


def logger(service: str) -> Logger:
    """A JSON logger on standard output that names the service in every line."""
    return Logger(service=service)


def metrics(service: str) -> Metrics:
    """Metrics of one function; a handler with metrics emits at least one per call."""
    made = Metrics(namespace=NAMESPACE, service=service)
    if "project" not in made.default_dimensions:  # which all of a process share
        made.set_default_dimensions(project=project(service))
    return made


def project(service: str) -> str:
    """The project, from the function's name: `<project>-<service>`, as the template calls it."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", service).removesuffix(f"-{service}")
