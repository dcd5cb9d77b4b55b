"""The endpoint's answer, checked: a probability per class, in class order."""

from __future__ import annotations

import math
import re

from lambdas import json_text

SUM_TOLERANCE = 1e-3
UNFAMILIARITY = "unfamiliarity"


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


def unfamiliarity(attributes: str) -> float | None:
    """The share of known pictures that are more like the model's training pictures, if the answer's attributes say it.

    `attributes`: the model's CustomAttributes, such as `unfamiliarity=0.1250`; others, apart by commas or semicolons,
    are passed over.

    Raises:
        NotProbabilitiesError: it is no number from 0 to 1.
    """
    said = dict(part.strip().partition("=")[::2] for part in re.split("[,;]", attributes))
    if UNFAMILIARITY not in said:
        return None
    try:
        value = float(said[UNFAMILIARITY])
    except ValueError:
        value = math.nan
    return fraction(value)


def fraction(value: object) -> float:
    """`value` as an unfamiliarity.

    Raises:
        NotProbabilitiesError: it is no number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NotProbabilitiesError(f"its unfamiliarity is {json_text.shown(value)}, not a number from 0 to 1")
    return float(value)
