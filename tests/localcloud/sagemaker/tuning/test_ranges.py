"""The space that a tuning job searches."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.tuning import ranges
from localcloud.sagemaker.tuning.ranges import Categorical, Continuous, Integer

PLACES = [i / 1000 for i in range(1001)]


def parsed(kind: str, **members: Any) -> ranges.Range:
    return ranges.parse({f"{kind}ParameterRanges": [{"Name": "x", **members}]})[0]


@pytest.mark.parametrize(
    ("low", "high", "scale", "middle"),
    [
        ("0", "1", "Linear", 0.5),
        ("0.001", "0.1", "Logarithmic", 0.01),
        ("0.9", "0.999", "ReverseLogarithmic", 0.99),
        ("0.001", "0.1", "Auto", 0.01),
        ("0.02", "0.1", "Auto", 0.06),
        ("0", "0.1", "Auto", 0.05),
    ],
)
def test_a_continuous_range_is_walked_evenly_in_its_scale(low: str, high: str, scale: str, middle: float) -> None:
    one = parsed("Continuous", MinValue=low, MaxValue=high, ScalingType=scale)
    values = [float(one.at(place)) for place in PLACES]
    assert values == sorted(values)
    assert (values[0], values[-1]) == pytest.approx((float(low), float(high)))
    assert min(values) >= float(low) and max(values) <= float(high)
    assert values[500] == pytest.approx(middle)
    assert one.coordinates(one.at(0.25))[0] == pytest.approx(0.25)


def test_every_integer_of_a_linear_range_is_as_likely() -> None:
    one = parsed("Integer", MinValue="3", MaxValue="6")
    counts = Counter(one.at(place) for place in PLACES)
    assert sorted(counts) == ["3", "4", "5", "6"]
    assert max(counts.values()) - min(counts.values()) <= 2


def test_small_integers_of_a_logarithmic_range_are_more_likely() -> None:
    counts = Counter(Integer("x", 1, 64, "Logarithmic").at(place) for place in PLACES)
    assert counts["1"] > counts["2"] > counts["8"]
    assert "64" in counts


def test_categories_are_as_likely_and_equally_far_apart() -> None:
    one = parsed("Categorical", Values=["sgd", "adam", "nag"])
    counts = Counter(one.at(place) for place in PLACES)
    assert set(counts) == {"sgd", "adam", "nag"} and min(counts.values()) >= 333
    points = [one.coordinates(value) for value in ("sgd", "adam", "nag")]
    assert [math.dist(a, b) for a in points for b in points if a != b] == pytest.approx([1.0] * 6)


def test_the_size_of_a_space_is_its_number_of_combinations() -> None:
    few = [Integer("a", 1, 3, "Linear"), Categorical("b", ("x", "y"))]
    assert ranges.size([*few]) == 6
    assert ranges.size([*few, Continuous("c", 0.5, 0.5, "Linear")]) == 6
    assert ranges.size([*few, Continuous("c", 0.0, 0.5, "Linear")]) == math.inf


@pytest.mark.parametrize(
    ("kind", "members", "said"),
    [
        ("Continuous", {"MinValue": "2", "MaxValue": "1"}, "must be at most"),
        ("Continuous", {"MinValue": "nan", "MaxValue": "1"}, "must be at most"),
        ("Continuous", {"MinValue": "0", "MaxValue": "inf"}, "must be at most"),
        ("Continuous", {"MinValue": "low", "MaxValue": "1"}, "must be numbers"),
        ("Integer", {"MinValue": "0.5", "MaxValue": "1"}, "must be integers"),
        ("Integer", {"MinValue": "0", "MaxValue": "9", "ScalingType": "Logarithmic"}, "must be above 0"),
        ("Integer", {"MinValue": "0", "MaxValue": "9", "ScalingType": "ReverseLogarithmic"}, "cannot have"),
        ("Continuous", {"MinValue": "0", "MaxValue": "1", "ScalingType": "ReverseLogarithmic"}, "below 1"),
        ("Categorical", {"Values": ["a", "b", "a"]}, "a value twice"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(kind: str, members: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        parsed(kind, **members)
