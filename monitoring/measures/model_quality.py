"""A classifier's metrics in the shape that SageMaker's model registry and Studio read.

Shape and definitions are Model Monitor's model-quality statistics: the positive class of two is label 1, a "best
constant classifier" always answers the most frequent class, and a standard deviation is taken over five random draws of
80 % of the images, or is the text "NaN" when there are fewer than 200.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitoring.measures import metrics
from monitoring.measures.metrics import Floats, Integers

DRAWS, DRAWN, LEAST = 5, 0.8, 200


def model_quality(labels: Integers, probabilities: Floats, seed: int = 0) -> dict[str, Any]:
    """`binary_classification_metrics` for two classes, `multiclass_classification_metrics` for more.

    Takes labels int (n,) and probabilities float (n, k).
    """
    classes = probabilities.shape[1]
    scalars = _with_deviation(labels, probabilities, seed)
    matrix = metrics.confusion(labels, probabilities.argmax(axis=1), classes)
    cells = {str(a): {str(p): int(matrix[a, p]) for p in range(classes)} for a in range(classes)}
    if classes > 2:
        return {"multiclass_classification_metrics": {"confusion_matrix": cells, **scalars}}
    positive, scores = labels == 1, probabilities[:, 1]
    roc, pr = metrics.roc(positive, scores), metrics.precision_recall_curve(positive, scores)
    curves = {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": roc.x.tolist(),
            "true_positive_rates": roc.y.tolist(),
        },
        "precision_recall_curve": {"precisions": pr.y.tolist(), "recalls": pr.x.tolist()},
    }
    return {"binary_classification_metrics": {"confusion_matrix": cells, **scalars, **curves}}


def _with_deviation(labels: Integers, probabilities: Floats, seed: int) -> dict[str, dict[str, Any]]:
    values = _scalars(labels, probabilities)
    if len(labels) < LEAST:
        return {name: {"value": value, "standard_deviation": "NaN"} for name, value in values.items()}
    random = np.random.default_rng(seed)
    size = round(DRAWN * len(labels))
    draws = [random.choice(len(labels), size, replace=False) for _ in range(DRAWS)]
    samples = [_scalars(labels[rows], probabilities[rows]) for rows in draws]
    return {name: {"value": value, "standard_deviation": _deviation(name, samples)} for name, value in values.items()}


def _deviation(name: str, samples: list[dict[str, float]]) -> float | str:
    """Over the draws that have the metric: one without a single picture of a rare class has no AUC."""
    drawn = [sample[name] for sample in samples if name in sample]
    return float(np.std(drawn)) if drawn else "NaN"


def _scalars(labels: Integers, probabilities: Floats) -> dict[str, float]:
    classes = probabilities.shape[1]
    matrix = metrics.confusion(labels, probabilities.argmax(axis=1), classes)
    constant = np.zeros_like(matrix)
    constant[:, matrix.sum(axis=1).argmax()] = matrix.sum(axis=1)
    values = _binary(matrix) if classes == 2 else _weighted(matrix)
    baseline = _binary(constant) if classes == 2 else _weighted(constant)
    values |= {f"{name}_best_constant_classifier": value for name, value in baseline.items() if "rate" not in name}
    if classes == 2 and 0 < labels.sum() < len(labels):
        values["auc"] = metrics.auc(labels == 1, probabilities[:, 1])
    return values


def _binary(matrix: Integers) -> dict[str, float]:
    precisions, recalls = metrics.precision_recall(matrix)
    precision, recall, specificity = float(precisions[1]), float(recalls[1]), float(recalls[0])
    return {
        "accuracy": float(np.trace(matrix) / matrix.sum()),
        "precision": precision,
        "recall": recall,
        "true_positive_rate": recall,
        "true_negative_rate": specificity,
        "false_positive_rate": 1 - specificity,
        "false_negative_rate": 1 - recall,
        "f0_5": metrics.f_score(precision, recall, 0.5),
        "f1": metrics.f_score(precision, recall),
        "f2": metrics.f_score(precision, recall, 2),
    }


def _weighted(matrix: Integers) -> dict[str, float]:
    """Means over the classes, weighted by how many images each class has."""
    precisions, recalls = metrics.precision_recall(matrix)
    weights = matrix.sum(axis=1) / matrix.sum()
    pairs = list(zip(precisions.tolist(), recalls.tolist(), strict=True))
    return {
        "accuracy": float(np.trace(matrix) / matrix.sum()),
        "weighted_precision": float(weights @ precisions),
        "weighted_recall": float(weights @ recalls),
        "weighted_f0_5": float(weights @ [metrics.f_score(p, r, 0.5) for p, r in pairs]),
        "weighted_f1": float(weights @ [metrics.f_score(p, r) for p, r in pairs]),
        "weighted_f2": float(weights @ [metrics.f_score(p, r, 2) for p, r in pairs]),
    }
