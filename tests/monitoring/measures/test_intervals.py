"""Bootstrap intervals: against the plain way of computing them, and against what theory says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from monitoring.measures import intervals, metrics


def answers(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    probabilities = random.dirichlet(np.ones(classes), n).round(2)  # rounded: ties occur
    probabilities[np.arange(n), labels] += random.uniform(0, 0.6, n)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_draw_gives_what_the_metric_gives_on_the_images_drawn(classes: int) -> None:
    labels, probabilities = answers(60, classes, seed=1)
    counts = intervals.draws(labels, n=5)
    measured = intervals._macro_auc(labels, probabilities)(counts.astype(float))
    calibration = intervals._calibration_error(labels, probabilities, 10)(counts.astype(float))
    recall = intervals._macro_recall(labels, probabilities)(counts.astype(float))
    precision = intervals._macro_precision(labels, probabilities)(counts.astype(float))
    for i, taken in enumerate(counts):
        rows = np.repeat(np.arange(len(labels)), taken)
        drawn, p = labels[rows], probabilities[rows]
        assert measured[i] == pytest.approx(metrics.macro_auc(drawn, p))
        bins = metrics.reliability(p.max(axis=1), p.argmax(axis=1) == drawn)
        assert calibration[i] == pytest.approx(metrics.expected_calibration_error(bins))
        expected = metrics.precision_recall(metrics.confusion(drawn, p.argmax(axis=1), classes))
        assert (precision[i], recall[i]) == pytest.approx((expected[0].mean(), expected[1].mean()))


def test_a_draw_holds_as_many_of_each_class_as_there_are() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    counts = intervals.draws(labels, n=20)
    assert {tuple(np.bincount(labels, weights=row).astype(int)) for row in counts} == {(3, 2, 1)}


def test_intervals_are_the_same_every_time() -> None:
    assert intervals.intervals(*answers(80, 2, seed=3)) == intervals.intervals(*answers(80, 2, seed=3))


def test_an_interval_shrinks_with_the_root_of_the_number_of_images() -> None:
    widths = []
    for n in (100, 1600):
        low, high = intervals.intervals(*answers(n, 2, seed=5))["log_loss"]
        widths.append(high - low)
    assert 2.5 < widths[0] / widths[1] < 6


def test_a_perfect_model_has_intervals_without_width() -> None:
    labels = np.array([0, 1] * 10)
    found = intervals.intervals(labels, np.eye(2)[labels])
    assert found["auc"] == found["macro_recall"] == (1.0, 1.0)
    assert found["expected_calibration_error"] == (0.0, 0.0)


def test_an_interval_is_about_scipys_bootstrap_interval() -> None:
    labels, probabilities = answers(200, 2, seed=11)
    losses = -np.log(probabilities[np.arange(len(labels)), labels])
    theirs = bootstrap((losses,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(1))
    found = intervals.intervals(labels, probabilities)["log_loss"]
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert found == pytest.approx(tuple(theirs.confidence_interval), abs=0.15 * width)


def test_the_difference_of_two_proportions_has_newcombes_interval() -> None:
    """His example: 56 of 70 less 48 of 80 (Statistics in Medicine 17 (1998), 873-890, table II, method 10)."""
    first, second = ((k / n, *metrics.wilson(k, n)) for k, n in ((56, 70), (48, 80)))
    assert intervals.difference(first, second) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
