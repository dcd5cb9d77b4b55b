"""Sketches and distances: exact where they can be, close where they cannot, and quiet without drift."""

from __future__ import annotations

import json
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ecdf

from monitoring.measures import distance
from monitoring.measures.sketch import Sketch


def sketch(values: list[float]) -> Sketch:
    made = Sketch()
    made.update(np.array(values, np.float64))
    return made


def test_up_to_its_size_a_sketch_keeps_every_value() -> None:
    values = np.random.default_rng(0).random(2000)
    made = Sketch()
    for part in np.split(values, 20):
        made.update(part)
    kept, weights = made.weighted()
    assert np.array_equal(kept, np.sort(values)) and set(weights) == {1}


def test_a_large_sketch_keeps_ranks_within_one_percent_in_bounded_memory() -> None:
    values = np.random.default_rng(1).normal(size=200_000)
    made = Sketch()
    for part in np.array_split(values, 400):
        made.update(part)
    points = np.quantile(values, np.linspace(0.01, 0.99, 99))
    assert made.count == 200_000
    assert len(made.weighted()[0]) < 6000
    assert np.abs(made.shares(points) - np.linspace(0.01, 0.99, 99)).max() < 0.01


def test_a_sketch_survives_json_and_weighs_level_i_by_two_to_the_i() -> None:
    made = Sketch.from_json({"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1.0], [2.0], [3.0]]})
    assert made.count == 7
    assert made.share_below(2.5) == pytest.approx(3 / 7)
    assert Sketch.from_json(json.loads(json.dumps(made.to_json()))).to_json() == made.to_json()
    assert made.quantiles(np.array([0.0, 0.4, 1.0])).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("data", [[["a"]], [[float("nan")]], [[None]]])
def test_a_sketch_of_anything_else_is_refused(data: list[object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Sketch.from_json({"parameters": {"c": 0.64, "k": 2048.0}, "data": data})


def test_linf_simple_is_the_largest_gap_between_the_distributions() -> None:
    assert distance.linf_simple(sketch([1, 2, 3, 4]), sketch([1, 2, 3, 4])) == 0
    assert distance.linf_simple(sketch([1, 2, 3, 4]), sketch([5, 6])) == 1
    assert distance.linf_simple(sketch([1, 2, 3, 4]), sketch([3, 3, 3, 3])) == 0.5
    assert distance.linf_simple(sketch([7, 7]), sketch([7])) == 0  # a constant feature


def test_linf_robust_takes_off_what_chance_does() -> None:
    assert distance.linf_robust(0.5, 200, 200) == pytest.approx(0.5 - 1.8 * sqrt(400 / 40_000))
    assert distance.linf_robust(0.2, 60, 9999) == 0  # about 0.233 at these sizes
    assert distance.linf_robust(0.3, 60, 9999) == pytest.approx(0.0669, abs=1e-3)


def test_robust_alone_raises_a_false_alarm_in_about_three_of_a_thousand() -> None:
    random, alarms = np.random.default_rng(2), 0
    for _ in range(1500):
        simple = distance.linf_simple(sketch(list(random.random(100))), sketch(list(random.random(100))))
        alarms += distance.linf_robust(simple, 100, 100) > 0
    assert alarms <= 12  # 0.0031 of 1,500 is 5


def test_categories_are_as_far_apart_as_their_shares() -> None:
    assert distance.linf_categorical({"a": 50, "b": 50}, {"a": 9, "b": 1}) == pytest.approx(0.4)
    assert distance.linf_categorical({"a": 5}, {"b": 5}) == 1


@given(st.lists(st.tuples(st.integers(10, 400), st.integers(10, 400)), min_size=2, max_size=8))
def test_chi_squared_is_scipys_test_of_homogeneity(pairs: list[tuple[int, int]]) -> None:
    base, current = ({str(i): pair[side] for i, pair in enumerate(pairs)} for side in (0, 1))
    expected = chi2_contingency(np.array(pairs).T, correction=False).pvalue
    assert distance.chi_squared_p(base, current) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.lists(st.integers(-5, 5), min_size=1, max_size=40))
def test_the_distance_of_numbers_is_scipys_kolmogorov_smirnov_statistic(one: list[int], other: list[int]) -> None:
    sketches = []
    for values in (one, other):
        sketch = Sketch()
        sketch.update(np.array(values, np.float64))
        sketches.append(sketch)
    steps = (ecdf(values).cdf.evaluate(np.arange(-5, 6)) for values in (one, other))
    assert distance.linf_simple(*sketches) == pytest.approx(np.abs(np.subtract(*steps)).max())


def test_chi_squared_compares_two_samples() -> None:
    assert distance.chi_squared_p({"a": 100, "b": 100}, {"a": 100, "b": 100}) == 1
    assert distance.chi_squared_p({"a": 100, "b": 100}, {"a": 180, "b": 20}) < 1e-10
    assert distance.chi_squared_p({"a": 200}, {"a": 50}) == 1  # one class only, in both
    assert distance.chi_squared_p({"a": 200}, {"b": 50}) < 1e-10
    rare = distance.chi_squared_p({"a": 200} | {f"r{i}": 1 for i in range(9)}, {"a": 200})
    assert rare == pytest.approx(distance.chi_squared_p({"a": 200, "rare": 9}, {"a": 200}))


@pytest.mark.parametrize("measure", [distance.linf_categorical, distance.chi_squared_p])
def test_nothing_has_no_distance(measure: object) -> None:
    with pytest.raises(ValueError, match="without values"):
        measure({}, {"a": 1})  # type: ignore[operator]  # one of two functions
    with pytest.raises(ValueError, match="without values"):
        distance.linf_simple(Sketch(), sketch([1.0]))
