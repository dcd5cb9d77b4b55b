"""Metrics that a training job prints: the last value of each becomes FinalMetricDataList."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from localcloud.sagemaker.errors import validation


def compiled(definitions: Iterable[tuple[str, str]]) -> dict[str, re.Pattern[str]]:
    """(name, regular expression) pairs as patterns by name.

    Raises:
        ServiceError: ValidationException; an expression is not one, or has no group for the value.
    """
    patterns = {}
    for name, expression in definitions:
        try:
            pattern = re.compile(expression)
        except re.error as error:
            raise validation(f"The regex {expression!r} of the metric {name!r} is not valid: {error}.") from None
        if not pattern.groups:
            raise validation(f"The regex {expression!r} of the metric {name!r} has no group that captures the value.")
        patterns[name] = pattern
    return patterns


def printed(patterns: dict[str, re.Pattern[str]], lines: Iterable[str]) -> list[tuple[str, float]]:
    """Every value of every metric in the lines, in their order; what is no number is NaN."""
    return [
        (name, _number(match.group(1)))
        for line in lines
        for name, pattern in patterns.items()
        for match in pattern.finditer(line)
    ]


def final(values: Iterable[tuple[str, float]], now: float) -> list[dict[str, Any]]:
    """The last value of every metric; one whose last value is not a finite number has none."""
    last = dict(values)
    return [
        {"MetricName": name, "Value": value, "Timestamp": now} for name, value in last.items() if math.isfinite(value)
    ]


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
