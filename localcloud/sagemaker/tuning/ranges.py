"""Parameter ranges: the space that a tuning job searches.

Each range maps a number from 0 to 1 to a value's text (`at`), evenly in the range's scale, and a text back to its
coordinates in the unit cube (`coordinates`), in which strategies measure distances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.errors import validation

Values = dict[str, str]
AUTO_LOGARITHMIC_SPAN = 100.0
"""From this ratio of the largest to the smallest value on, `Auto` means logarithmic. AWS does not say what it does."""


@dataclass(frozen=True)
class Scale:
    """A monotonic map in which a range is walked evenly, and its inverse."""

    forward: Callable[[float], float]
    backward: Callable[[float], float]


SCALES = {
    "Linear": Scale(lambda x: x, lambda y: y),
    "Logarithmic": Scale(math.log, math.exp),
    "ReverseLogarithmic": Scale(lambda x: -math.log1p(-x), lambda y: -math.expm1(-y)),
}


@dataclass(frozen=True)
class Continuous:
    """Any number from low to high."""

    name: str
    low: float
    high: float
    scale: str

    @property
    def size(self) -> float:
        return math.inf if self.high > self.low else 1

    def at(self, place: float) -> str:
        """The value at `place`, 0 to 1, as the shortest text that is exactly it."""
        return repr(_between(self.low, self.high, place, SCALES[self.scale]))

    def coordinates(self, text: str) -> list[float]:
        return [_place(self.low, self.high, float(text), SCALES[self.scale])]


@dataclass(frozen=True)
class Integer:
    """Any integer from low to high."""

    name: str
    low: int
    high: int
    scale: str

    @property
    def size(self) -> float:
        return self.high - self.low + 1

    def at(self, place: float) -> str:
        """The value at `place`, 0 to 1; each integer stands for the numbers that are nearest to it."""
        found = _between(self.low - 0.5, self.high + 0.5, place, SCALES[self.scale])
        return str(min(max(round(found), self.low), self.high))

    def coordinates(self, text: str) -> list[float]:
        return [_place(self.low - 0.5, self.high + 0.5, int(text), SCALES[self.scale])]


@dataclass(frozen=True)
class Categorical:
    """One of the values, which have no order."""

    name: str
    values: tuple[str, ...]

    @property
    def size(self) -> float:
        return len(self.values)

    def at(self, place: float) -> str:
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]

    def coordinates(self, text: str) -> list[float]:
        """One coordinate per value: any two different values are at distance 1."""
        return [math.sqrt(0.5) if value == text else 0.0 for value in self.values]


Range = Continuous | Integer | Categorical


def _between(low: float, high: float, place: float, scale: Scale) -> float:
    """The number at `place`, 0 to 1, of the way from low to high in `scale`; never outside for a rounding error."""
    start, end = scale.forward(low), scale.forward(high)
    return min(max(scale.backward(start + place * (end - start)), low), high)


def _place(low: float, high: float, value: float, scale: Scale) -> float:
    start, end = scale.forward(low), scale.forward(high)
    return (scale.forward(value) - start) / (end - start) if end > start else 0.0


def parse(given: Mapping[str, Any]) -> list[Range]:
    """The ranges of a ParameterRanges structure: continuous, integer, categorical, in the request's order.

    Raises:
        ServiceError: ValidationException; a bound is no number, lies on the wrong side, or does not suit the scale.
    """
    found: list[Range] = [_continuous(one) for one in given.get("ContinuousParameterRanges", [])]
    found += [_integer(one) for one in given.get("IntegerParameterRanges", [])]
    found += [Categorical(one["Name"], tuple(one["Values"])) for one in given.get("CategoricalParameterRanges", [])]
    for one in found:
        if isinstance(one, Categorical) and len(set(one.values)) != len(one.values):
            raise validation(f"The categorical range of [{one.name}] names a value twice: {', '.join(one.values)}.")
    return found


def size(ranges: list[Range]) -> float:
    """How many different sets of values there are."""
    return math.prod(one.size for one in ranges)


def _continuous(given: Mapping[str, str]) -> Continuous:
    low, high = _bounds(given, float)
    return Continuous(given["Name"], low, high, _scale(given, low, high))


def _integer(given: Mapping[str, str]) -> Integer:
    low, high = _bounds(given, int)
    if given.get("ScalingType") == "ReverseLogarithmic":
        raise validation(f"The integer range of [{given['Name']}] cannot have the scaling type ReverseLogarithmic.")
    return Integer(given["Name"], int(low), int(high), _scale(given, low, high))


def _bounds(given: Mapping[str, str], kind: Callable[[str], float]) -> tuple[float, float]:
    name, low, high = given["Name"], given["MinValue"], given["MaxValue"]
    try:
        bounds = kind(low), kind(high)
    except ValueError:
        what = "integers" if kind is int else "numbers"
        raise validation(f"MinValue [{low}] and MaxValue [{high}] of [{name}] must be {what}.") from None
    if not all(math.isfinite(bound) for bound in bounds) or bounds[0] > bounds[1]:
        raise validation(f"MinValue [{low}] of [{name}] must be at most its MaxValue [{high}].")
    return bounds


def _scale(given: Mapping[str, str], low: float, high: float) -> str:
    wanted = given.get("ScalingType", "Auto")
    if wanted == "Auto":
        return "Logarithmic" if low > 0 and high / low >= AUTO_LOGARITHMIC_SPAN else "Linear"
    if wanted == "Logarithmic" and low <= 0:
        raise validation(f"The range of [{given['Name']}] must be above 0 for the scaling type Logarithmic.")
    if wanted == "ReverseLogarithmic" and not (low >= 0 and high < 1):
        raise validation(
            f"The range of [{given['Name']}] must be at least 0 and below 1 for the scaling type ReverseLogarithmic."
        )
    return wanted
