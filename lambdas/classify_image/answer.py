"""The endpoint's answer, checked: a probability per class, in class order."""

from __future__ import annotations

import json
import math

SUM_TOLERANCE = 1e-3


class NotProbabilitiesError(ValueError):
    """A value that is not one probability per class; the message says what is wrong with it."""


def parsed(text: bytes | str) -> object:
    """JSON, without the NaN and Infinity that Python's parser lets pass.

    Raises:
        NotProbabilitiesError: not JSON.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NotProbabilitiesError(f"not JSON: {error}") from None


def probabilities(value: object, classes: int) -> list[float]:
    """`value` as `classes` numbers between 0 and 1 that sum to 1.

    Raises:
        NotProbabilitiesError: anything else.
    """
    if not isinstance(value, list):
        raise NotProbabilitiesError("not a list")
    if len(value) != classes:
        raise NotProbabilitiesError(f"{len(value)} values for {classes} classes")
    numbers: list[float] = []
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise NotProbabilitiesError(f"{str(item)[:40]!r} in it is not a number")
        if not -SUM_TOLERANCE <= item <= 1 + SUM_TOLERANCE:  # true for NaN too
            raise NotProbabilitiesError(f"{item} in it is not between 0 and 1")
        numbers.append(float(item))
    if abs(math.fsum(numbers) - 1) > SUM_TOLERANCE:
        raise NotProbabilitiesError(f"its sum is {math.fsum(numbers):.6g}, not 1")
    return numbers


def _no_constant(name: str) -> float:
    raise NotProbabilitiesError(f"{name} in it is not a number")
