"""How far each metric may be off, because another draw of test images would have given other numbers.

Proportions have Wilson's interval (metrics.py). Everything else has a bootstrap interval: the test images are drawn
again with replacement, class by class, DRAWS times with a fixed seed, and the middle 95 % of the resulting values are
taken (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Each draw is a vector of
how often each image was taken, so that a thousand draws are a few matrix products.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitoring.measures.metrics import Floats, Integers

DRAWS, SEED = 1000, 0
LEVEL = 0.95
AT_ONCE = 100
"""Draws that are worked on together: with 10,000 images a block of them takes 8 MB."""

Metric = Callable[[Floats], Floats]
"""From counts float (draws, n) to values float (draws,)."""


def intervals(labels: Integers, probabilities: Floats, bins: int = 10) -> dict[str, tuple[float, float]]:
    """Bounds of auc, expected_calibration_error, log_loss, macro_precision and macro_recall.

    Takes labels int (n,) with every class in them, probabilities float (n, k).
    """
    counts = draws(labels)
    measures: dict[str, Metric] = {
        "auc": _macro_auc(labels, probabilities),
        "expected_calibration_error": _calibration_error(labels, probabilities, bins),
        "log_loss": _mean(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-15))),
        "macro_precision": _macro_precision(labels, probabilities),
        "macro_recall": _macro_recall(labels, probabilities),
    }
    return {name: interval(measure, counts) for name, measure in measures.items()}


def draws(labels: Integers, n: int = DRAWS, seed: int = SEED) -> NDArray[np.uint16]:
    """How often each image is in each draw, (n, images); every draw holds as many of a class as there are."""
    random = np.random.default_rng(seed)
    counts = np.zeros((n, len(labels)), np.uint16)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        counts[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=n)
    return counts


def interval(measure: Metric, counts: NDArray[np.uint16]) -> tuple[float, float]:
    """The middle 95 % of the measure over the draws, widened to hold its value for the images themselves.

    A calibration error needs that: drawing adds noise to every bin, and noise only ever adds to this error.
    """
    blocks = [measure(counts[i : i + AT_ONCE].astype(np.float64)) for i in range(0, len(counts), AT_ONCE)]
    low, high = np.quantile(np.concatenate(blocks), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = measure(np.ones((1, counts.shape[1])))[0]
    return float(min(low, value)), float(max(high, value))


Bounded = tuple[float, float, float]
"""A value with the bounds of its 95 % interval."""


def difference(first: Bounded, second: Bounded) -> Bounded:
    """`first` less `second`, of two independent samples, with its interval made of theirs.

    Of two proportions with Wilson's intervals it is the hybrid score interval (R. Newcombe, Statistics in Medicine 17
    (1998), 873-890, method 10); of anything else the same recovery of variances (G. Zou and A. Donner, Statistics in
    Medicine 27 (2008), 1693-1702).
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    gap = a - b
    return gap, gap - float(np.hypot(a - a_low, b_high - b)), gap + float(np.hypot(a_high - a, b - b_low))


def _mean(values: Floats) -> Metric:
    return lambda counts: counts @ values / counts.sum(axis=1)


def _calibration_error(labels: Integers, probabilities: Floats, bins: int) -> Metric:
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.zeros((len(labels), bins))
    gaps[np.arange(len(labels)), place] = correct - confidence
    return lambda counts: np.abs(counts @ gaps).sum(axis=1) / counts.sum(axis=1)


def _macro_recall(labels: Integers, probabilities: Floats) -> Metric:
    hits, actual, _ = _memberships(labels, probabilities)
    return lambda counts: ((counts @ hits) / (counts @ actual)).mean(axis=1)


def _macro_precision(labels: Integers, probabilities: Floats) -> Metric:
    hits, _, predicted = _memberships(labels, probabilities)
    return lambda counts: ((counts @ hits) / np.maximum(counts @ predicted, 1)).mean(axis=1)


def _memberships(labels: Integers, probabilities: Floats) -> tuple[Floats, Floats, Floats]:
    """Per image and class, 0 or 1: rightly predicted, actual, predicted; float (n, k) each."""
    every = np.eye(probabilities.shape[1])
    actual, predicted = every[labels], every[probabilities.argmax(axis=1)]
    return actual * predicted, actual, predicted


def _macro_auc(labels: Integers, probabilities: Floats) -> Metric:
    columns = [1] if probabilities.shape[1] == 2 else list(range(probabilities.shape[1]))
    measures = [_auc(labels == c, probabilities[:, c]) for c in columns]
    return lambda counts: np.mean([measure(counts) for measure in measures], axis=0)


def _auc(positive: NDArray[np.bool_], scores: Floats) -> Metric:
    """The share of pairs of a positive and a negative in which the positive scores higher, ties counting half."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    positives = np.where(positive, 1.0, 0.0)[order]

    def measure(counts: Floats) -> Floats:
        taken = counts[:, order]
        hits = np.cumsum(taken * positives, axis=1)[:, ends]
        misses = np.cumsum(taken * (1 - positives), axis=1)[:, ends]
        heights = hits + np.pad(hits, ((0, 0), (1, 0)))[:, :-1]
        widths = np.diff(misses, axis=1, prepend=0.0)
        areas: Floats = (heights * widths).sum(axis=1) / (2 * hits[:, -1] * misses[:, -1])
        return areas

    return measure
