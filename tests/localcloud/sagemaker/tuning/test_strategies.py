"""Which values a search tries, and how good the model of the Bayesian one is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from localcloud.sagemaker.tuning import gaussian_process as gp
from localcloud.sagemaker.tuning.ranges import Categorical, Continuous, Integer, Range, Values
from localcloud.sagemaker.tuning.strategies import Trial, propose

SPACE: list[Range] = [
    Continuous("rate", 0.001, 1.0, "Logarithmic"),
    Integer("size", 1, 8, "Linear"),
    Categorical("kind", ("a", "b")),
]


def objective(values: Values) -> float:
    """Best, 0, at rate 0.03, size 5, kind b."""
    bend = (math.log10(float(values["rate"])) - math.log10(0.03)) ** 2
    return -bend - 0.05 * (int(values["size"]) - 5) ** 2 - (0.5 if values["kind"] == "a" else 0.0)


def search(strategy: str, seed: int, jobs: int, space: list[Range] = SPACE) -> list[Trial]:
    trials: list[Trial] = []
    for _ in range(jobs):
        values = propose(strategy, space, seed, trials)
        trials.append(Trial(values, objective(values)))
    return trials


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_the_same_seed_gives_the_same_search_and_another_seed_another(strategy: str) -> None:
    assert search(strategy, 3, 7) == search(strategy, 3, 7)
    assert search(strategy, 3, 7) != search(strategy, 4, 7)


def test_a_random_search_does_not_depend_on_what_the_trials_said() -> None:
    known = search("Random", 3, 4)
    unknown = [Trial(trial.values) for trial in known]
    assert propose("Random", SPACE, 3, known) == propose("Random", SPACE, 3, unknown)


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_finite_space_is_tried_whole_without_repeating(strategy: str) -> None:
    space = [*SPACE[1:], Categorical("rate", ("1",))]
    assert len({tuple(trial.values.items()) for trial in search(strategy, 1, 16, space)}) == 16


def test_a_grid_is_every_combination_in_order() -> None:
    space: list[Range] = [Categorical("a", ("1", "2")), Categorical("b", ("x", "y", "z"))]
    trials: list[Trial] = []
    for _ in range(6):
        trials.append(Trial(propose("Grid", space, 0, trials)))
    assert [trial.values for trial in trials] == [{"a": a, "b": b} for a in "12" for b in "xyz"]


def test_bayesian_search_comes_closer_than_random_search() -> None:
    def best(strategy: str) -> list[float]:
        return [max(trial.objective or -9.0 for trial in search(strategy, seed, 16)) for seed in range(6)]

    assert np.mean(best("Bayesian")) > np.mean(best("Random")) / 2, "both are below 0; half is twice as close"


def test_jobs_in_parallel_are_sent_to_different_places() -> None:
    trials = search("Bayesian", 2, 8)
    first = propose("Bayesian", SPACE, 2, trials)
    second = propose("Bayesian", SPACE, 2, [*trials, Trial(first)])
    assert first != second


def test_objectives_that_are_all_equal_are_no_trouble() -> None:
    trials = [Trial(trial.values, 0.5) for trial in search("Random", 2, 6)]
    assert propose("Bayesian", SPACE, 2, trials) not in [trial.values for trial in trials]


def test_the_process_and_its_likelihood_agree_with_scikit_learn() -> None:
    regressor = pytest.importorskip("sklearn.gaussian_process")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    generator = np.random.default_rng(5)
    points, at = generator.random((12, 3)), generator.random((30, 3))
    values = generator.standard_normal(12)
    lengths = np.array([0.4, 0.8, 0.2])
    likelihood, ours = gp.fitted(points, values, lengths, 0.01)
    theirs = regressor.GaussianProcessRegressor(kernels.Matern(lengths, nu=2.5), alpha=0.01, optimizer=None)
    expected = theirs.fit(points, values).predict(at, return_std=True)
    mean, deviation = ours.predict(at)
    np.testing.assert_allclose(mean, expected[0], atol=1e-8)
    np.testing.assert_allclose(deviation, expected[1], atol=1e-6)
    constant = 6 * math.log(2 * math.pi)
    assert likelihood - constant == pytest.approx(theirs.log_marginal_likelihood_value_)


def test_a_dimension_that_does_not_matter_gets_a_long_length() -> None:
    points = np.random.default_rng(5).random((30, 2))
    values = np.sin(9 * points[:, 0])
    matters, does_not = gp.fit(points, (values - values.mean()) / values.std()).lengths
    assert matters < does_not == max(gp.LENGTHS)


def test_expected_improvement_is_that_of_a_normal_distribution() -> None:
    mean, deviation, best = np.array([0.2, 1.5]), np.array([0.7, 0.3]), 1.0
    draws = np.random.default_rng(1).normal(mean, deviation, (400_000, 2))
    sampled = np.maximum(draws - best, 0.0).mean(axis=0)
    np.testing.assert_allclose(gp.expected_improvement(mean, deviation, best), sampled, rtol=0.02)
