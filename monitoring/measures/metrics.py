"""How good a classifier's probabilities are, for any number of classes. Plain numpy.

Throughout, `probabilities` is float (n, k), `labels` and `predicted` are int (n,), and `confidence` is the probability
of the predicted class, float (n,).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Curve:
    """Points of a curve, from the strictest decision threshold to the loosest."""

    x: Floats
    y: Floats


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Bounds of the Wilson score interval of a proportion, which holds for few samples and near 0 and 1 as well.

    Source: E. B. Wilson, JASA 22 (1927), 209-212.

    Raises:
        ValueError: `n` is not positive.
    """
    if n <= 0:
        raise ValueError("a proportion of no samples has no interval")
    share = successes / n
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    centre, scale = share + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def proportion(name: str, successes: int, n: int) -> dict[str, float | None]:
    """`<name>`, `<name>_low`, `<name>_high`: a proportion with its Wilson interval; all None without samples."""
    if not n:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    low, high = wilson(successes, n)
    return {name: successes / n, f"{name}_low": low, f"{name}_high": high}


def paired_difference(name: str, gained: int, lost: int, n: int) -> dict[str, float | None]:
    """`<name>`, `<name>_low`, `<name>_high`: how much a second classifier is better on the same `n` samples.

    `gained` samples only the second one gets right, `lost` only the first. The 95 % interval is Bonett and Price's
    adjusted Wald interval for paired proportions (Journal of Educational and Behavioral Statistics 37 (2012), 479-488),
    which holds for few samples as well. All None without samples.
    """
    if not n:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    more, less = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    spread = Z_95 * sqrt((more + less - (more - less) ** 2) / (n + 2))
    low, high = max(-1.0, more - less - spread), min(1.0, more - less + spread)
    return {name: (gained - lost) / n, f"{name}_low": low, f"{name}_high": high}


def confusion(labels: Integers, predicted: Integers, classes: int) -> Integers:
    """Counts int (classes, classes): row the actual class, column the predicted one."""
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def precision_recall(matrix: Integers) -> tuple[Floats, Floats]:
    """Precision and recall of each class, float (k,) each; 0 where nothing was predicted or present."""
    hits = np.diag(matrix).astype(np.float64)
    return hits / np.maximum(matrix.sum(axis=0), 1), hits / np.maximum(matrix.sum(axis=1), 1)


def f_score(precision: float, recall: float, beta: float = 1.0) -> float:
    """The F-beta score; 0 when both are 0."""
    weight = beta * beta
    below = weight * precision + recall
    return (1 + weight) * precision * recall / below if below else 0.0


def auc(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Raises:
        ValueError: only positives, or none.
    """
    if positive.all() or not positive.any():
        raise ValueError("the area under a ROC curve needs both positives and negatives")
    curve = roc(positive, scores)
    return float(np.sum(np.diff(curve.x) * (curve.y[1:] + curve.y[:-1]) / 2))


def macro_auc(labels: Integers, probabilities: Floats) -> float:
    """The mean over classes of one-vs-rest AUC; for two classes the AUC of class 1.

    Raises:
        ValueError: a class has no images.
    """
    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return float(np.mean([auc(labels == c, probabilities[:, c]) for c in columns]))


def roc(positive: NDArray[np.bool_], scores: Floats) -> Curve:
    """False-positive rate (x) and true-positive rate (y) at each distinct score, from (0, 0) to (1, 1)."""
    hits, taken = _taken(positive, scores)
    return Curve((taken - hits) / max(1, (~positive).sum()), hits / max(1, positive.sum()))


def precision_recall_curve(positive: NDArray[np.bool_], scores: Floats) -> Curve:
    """Recall (x) and precision (y) at each distinct score; precision is 1 where nothing is taken yet."""
    hits, taken = _taken(positive, scores)
    precision = np.where(taken > 0, hits / np.maximum(taken, 1), 1.0)
    return Curve(hits / max(1, positive.sum()), precision)


def _taken(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """How many positives, and how many samples, score at least as high as each distinct score; both begin with 0."""
    order = np.argsort(-scores, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(positive[order])[last_of_score].astype(np.float64)
    return np.append(0.0, hits), np.append(0.0, last_of_score + 1.0)


def log_loss(labels: Integers, probabilities: Floats) -> float:
    """Mean negative natural logarithm of the actual class's probability, each at least 1e-15."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-15)).mean())


def reliability(confidence: Floats, correct: NDArray[np.bool_], bins: int = 10) -> list[dict[str, Any]]:
    """Per confidence bin (equal widths, upper bound included; empty ones left out): images, confidence, accuracy."""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        {
            "low": b / bins,
            "high": (b + 1) / bins,
            "images": int(np.count_nonzero(place == b)),
            "wrong": int(np.count_nonzero(~correct[place == b])),
            "confidence": float(confidence[place == b].mean()),
            **proportion("accuracy", int(np.count_nonzero(correct[place == b])), int(np.count_nonzero(place == b))),
        }
        for b in range(bins)
        if np.any(place == b)
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """The gap between confidence and accuracy, averaged over the images. Source: Guo et al., ICML 2017, equation 3."""
    images = sum(b["images"] for b in bins)
    return float(sum(b["images"] * abs(b["accuracy"] - b["confidence"]) for b in bins) / images)


def threshold_curve(confidence: Floats, correct: NDArray[np.bool_], thresholds: Floats) -> list[dict[str, Any]]:
    """For each confidence threshold: the share of images that reach it, and their accuracy (None if none does)."""
    curve = []
    for threshold in thresholds:
        passing = confidence >= threshold
        images = int(np.count_nonzero(passing))
        point = {"threshold": float(threshold), "images": images, **proportion("share", images, len(confidence))}
        curve.append(point | proportion("accuracy", int(np.count_nonzero(correct[passing])), images))
    return curve
