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


def final(patterns: dict[str, re.Pattern[str]], lines: Iterable[str], now: float) -> list[dict[str, Any]]:
    """The last value of every metric that occurs in the lines; what is not a finite number is no value."""
    found: dict[str, float] = {}
    for line in lines:
        for name, pattern in patterns.items():
            for match in pattern.finditer(line):
                value = _number(match.group(1))
                if math.isfinite(value):
                    found[name] = value
                else:
                    found.pop(name, None)
    return [{"MetricName": name, "Value": value, "Timestamp": now} for name, value in found.items()]


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
