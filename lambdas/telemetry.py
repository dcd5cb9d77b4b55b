"""Loggers and metrics. No image bytes and no credentials are ever logged: handlers log names, outcomes and numbers.

Metrics go to CloudWatch as embedded metric format lines in the log, namespace Scones/Inference, dimension `service`.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Scones/Inference"


def logger(service: str) -> Logger:
    """A JSON logger on standard output that names the service in every line."""
    return Logger(service=service)


def metrics(service: str) -> Metrics:
    """Metrics of one function; every handler emits at least one per call."""
    return Metrics(namespace=NAMESPACE, service=service)


def count_class(vehicle: str) -> None:
    """Metric Classified, one per picture, with the dimension `vehicle`."""
    with single_metric(name="Classified", unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as metric:
        metric.add_dimension(name="vehicle", value=vehicle)
