"""The metrics against their definitions and against published values."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import binomtest

from monitoring.measures import metrics, model_quality

SCORES = arrays.arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
ALL_OF_ONE = {"accuracy": 1.0, "accuracy_low": pytest.approx(0.2065, abs=1e-4), "accuracy_high": 1.0}
POSITIVE = arrays.arrays(np.bool_, 12).filter(lambda p: p.any() and not p.all())


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
)
def test_wilson_interval_has_its_published_values(successes: int, n: int, low: float, high: float) -> None:
    assert metrics.wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        metrics.wilson(0, 0)


@given(st.integers(1, 500), st.data())
def test_wilson_interval_holds_the_proportion(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = metrics.wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12 and successes / n - 1e-12 <= high <= 1


@given(POSITIVE, SCORES)
def test_auc_is_the_chance_that_a_positive_scores_higher(positive: np.ndarray, scores: np.ndarray) -> None:
    pairs = [(p > q) + 0.5 * (p == q) for p in scores[positive] for q in scores[~positive]]
    assert metrics.auc(positive, scores) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_auc_of_one_class_is_an_error(positive: list[bool]) -> None:
    with pytest.raises(ValueError, match="both positives and negatives"):
        metrics.auc(np.array(positive), np.array([0.1, 0.9]))


@given(POSITIVE, SCORES)
def test_curves_rise_from_their_first_corner_to_their_last(positive: np.ndarray, scores: np.ndarray) -> None:
    roc = metrics.roc(positive, scores)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(roc.x) >= 0).all() and (np.diff(roc.y) >= 0).all()
    curve = metrics.precision_recall_curve(positive, scores)
    assert (curve.x[0], curve.y[0], curve.x[-1]) == (0, 1, 1)
    assert curve.y[-1] == pytest.approx(positive.mean())


@given(POSITIVE, SCORES)
def test_auc_and_curves_are_scikit_learns(positive: np.ndarray, scores: np.ndarray) -> None:
    assert metrics.auc(positive, scores) == pytest.approx(sklearn.metrics.roc_auc_score(positive, scores))
    roc = metrics.roc(positive, scores)
    fall_out, recall, _ = sklearn.metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert (roc.x.tolist(), roc.y.tolist()) == (pytest.approx(fall_out.tolist()), pytest.approx(recall.tolist()))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_metrics_of_answers_are_scikit_learns(classes: int) -> None:
    labels, probabilities = random_answers(300, classes)
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion(labels, predicted, classes)
    assert matrix.tolist() == sklearn.metrics.confusion_matrix(labels, predicted).tolist()
    precision, recall = metrics.precision_recall(matrix)
    theirs = sklearn.metrics.precision_recall_fscore_support(labels, predicted, beta=2.0)
    assert precision.tolist() == pytest.approx(theirs[0].tolist())
    assert recall.tolist() == pytest.approx(theirs[1].tolist())
    assert [metrics.f_score(p, r, 2.0) for p, r in zip(precision, recall, strict=True)] == pytest.approx(theirs[2])
    assert metrics.log_loss(labels, probabilities) == pytest.approx(sklearn.metrics.log_loss(labels, probabilities))
    scores = probabilities[:, 1] if classes == 2 else probabilities
    expected = sklearn.metrics.roc_auc_score(labels, scores, multi_class="ovr")
    assert metrics.macro_auc(labels, probabilities) == pytest.approx(expected)


@given(st.integers(1, 500), st.data())
def test_wilson_interval_is_scipys(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    theirs = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert metrics.wilson(successes, n) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_confusion_has_the_actual_class_in_its_rows() -> None:
    matrix = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    precision, recall = metrics.precision_recall(matrix)
    assert precision.tolist() == [1, 0.5, 0] and recall.tolist() == [0.5, 1, 0]


def test_calibration_error_is_the_gap_weighted_by_images() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False, True, True])
    bins = metrics.reliability(confidence, correct)
    assert [b["images"] for b in bins] == [2, 4]
    assert metrics.expected_calibration_error(bins) == pytest.approx((4 * 0.2 + 2 * 0.45) / 6)


def test_confidence_1_belongs_to_the_last_bin() -> None:
    assert metrics.reliability(np.array([1.0, 0.9]), np.array([True, True])) == [
        {"low": 0.8, "high": 0.9, "images": 1, "wrong": 0, "confidence": 0.9, **ALL_OF_ONE},
        {"low": 0.9, "high": 1.0, "images": 1, "wrong": 0, "confidence": 1.0, **ALL_OF_ONE},
    ]


def test_a_threshold_that_nothing_reaches_has_no_accuracy() -> None:
    curve = metrics.threshold_curve(np.array([0.6, 0.8]), np.array([False, True]), np.array([0.5, 0.8, 0.9]))
    assert [(p["images"], p["share"], p["accuracy"]) for p in curve] == [(2, 1.0, 0.5), (1, 0.5, 1.0), (0, 0.0, None)]


def test_log_loss_of_certain_errors_stays_finite() -> None:
    assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-math.log(1e-15))
    assert metrics.log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])) == pytest.approx(math.log(2))


def random_answers(n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(n)
    labels = np.arange(n) % classes
    probabilities = random.dirichlet(np.ones(classes), n)
    probabilities[np.arange(n), labels] += 0.5
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_two_classes_get_sagemakers_binary_metrics() -> None:
    labels, probabilities = random_answers(300, 2)
    quality = json.loads(json.dumps(model_quality.model_quality(labels, probabilities), allow_nan=False))
    binary = quality["binary_classification_metrics"]
    hits = sum(binary["confusion_matrix"][c][c] for c in "01")
    assert binary["accuracy"]["value"] == hits / 300
    assert 0 < binary["accuracy"]["standard_deviation"] < 0.1
    assert binary["true_positive_rate"]["value"] == binary["recall"]["value"]
    assert binary["accuracy_best_constant_classifier"]["value"] == 0.5
    assert binary["auc"]["value"] == pytest.approx(metrics.auc(labels == 1, probabilities[:, 1]))
    assert set(binary["receiver_operating_characteristic_curve"]) == {"false_positive_rates", "true_positive_rates"}


def test_more_classes_get_weighted_metrics() -> None:
    labels, probabilities = random_answers(300, 5)
    multiclass = model_quality.model_quality(labels, probabilities)["multiclass_classification_metrics"]
    assert multiclass["weighted_recall"]["value"] == pytest.approx(multiclass["accuracy"]["value"])
    assert multiclass["accuracy_best_constant_classifier"]["value"] == 0.2
    assert len(multiclass["confusion_matrix"]) == 5


def test_few_images_have_no_deviation() -> None:
    quality = model_quality.model_quality(*random_answers(50, 2))["binary_classification_metrics"]
    assert quality["accuracy"]["standard_deviation"] == "NaN"
