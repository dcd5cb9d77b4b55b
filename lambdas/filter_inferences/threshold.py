"""What answers are held against: from the input, or from SSM at run time, so that tuning it needs no redeploy."""

from __future__ import annotations

import math
import time
from typing import Any

from lambdas import json_text
from lambdas.outcomes import BadInputError, FailedError
from lambdas.service_errors import calling

CACHE_SECONDS = 5.0
_cached: dict[str, tuple[float, float]] = {}


def chosen(override: object, ssm: Any, parameter: str) -> float:
    """The override when there is one, else the parameter's value: a number between 0 and 1.

    Raises:
        BadInputError: BadThreshold: the override is something else.
        FailedError: BadThreshold: the parameter is; or the parameter does not exist.
    """
    if override is not None:
        if isinstance(override, bool) or not isinstance(override, int | float) or not _is_fraction(override):
            raise BadInputError(
                "BadThreshold", f"`threshold` is {json_text.shown(override)}; it must be a number from 0 to 1."
            )
        return float(override)
    return stored(ssm, parameter)


def stored(ssm: Any, parameter: str) -> float:
    """The parameter's value, at most CACHE_SECONDS old."""
    read_at, value = _cached.get(parameter, (-math.inf, math.nan))
    if time.monotonic() - read_at < CACHE_SECONDS:
        return value
    with calling(f"reading the threshold from parameter {parameter}"):
        text = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not _is_fraction(value):
        raise FailedError("BadThreshold", f"Parameter {parameter} holds {text!r}; it must be a number from 0 to 1.")
    _cached[parameter] = (time.monotonic(), value)
    return value


def _is_fraction(value: float) -> bool:
    return 0 <= value <= 1  # false for NaN, and for whole numbers too large for a float
