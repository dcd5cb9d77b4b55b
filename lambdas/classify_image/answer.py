"""The endpoint's answer, checked: a probability per class, in class order, and how unfamiliar the picture is.

It is a JSON line, `{"prediction": [0.9, 0.1], "unfamiliarity": 0.125}`, which the built-in algorithm answers with too
(without the second key). That, and no header, is what data capture keeps for the monitor.
"""

from __future__ import annotations

import math

from lambdas import json_text

SUM_TOLERANCE = 1e-3
ACCEPT = "application/jsonlines"


class NotProbabilitiesError(ValueError):
    """A value that is not one probability per class; the message says what is wrong with it."""


def parsed(text: bytes | str) -> object:
    """The JSON value in `text`.

    Raises:
        NotProbabilitiesError: not JSON.
    """
    try:
        return json_text.parsed(text)
    except ValueError as error:
        raise NotProbabilitiesError(f"not JSON: {error}") from None


def prediction(value: object, classes: int) -> tuple[list[float], float | None]:
    """The probabilities of a JSON line, and the unfamiliarity if the model says it; a bare list is taken as well.

    Raises:
        NotProbabilitiesError: anything else.
    """
    if not isinstance(value, dict):
        return probabilities(value, classes), None
    said = value.get("unfamiliarity")
    return probabilities(value.get("prediction"), classes), None if said is None else fraction(said)


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
            raise NotProbabilitiesError(f"{json_text.shown(item)} in it is not a number")
        if not -SUM_TOLERANCE <= item <= 1 + SUM_TOLERANCE:  # true for NaN too
            raise NotProbabilitiesError(f"{json_text.shown(item)} in it is not between 0 and 1")
        numbers.append(float(item))
    if abs(math.fsum(numbers) - 1) > SUM_TOLERANCE:
        raise NotProbabilitiesError(f"its sum is {math.fsum(numbers):.6g}, not 1")
    return numbers


def fraction(value: object) -> float:
    """`value` as an unfamiliarity.

    Raises:
        NotProbabilitiesError: it is no number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NotProbabilitiesError(f"its unfamiliarity is {json_text.shown(value)}, not a number from 0 to 1")
    return float(value)
