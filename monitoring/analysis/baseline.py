"""The baseline of a model version: what its test set looks like to the monitor, and what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.analysis import constraints
from monitoring.analysis.features import Columns, Floats, Limits, answer_features, likeness_features, picture_features
from monitoring.analysis.profile import Profile, to_statistics
from monitoring.measures.metrics import wilson
from project.errors import DataError

AT_ONCE = 512


def of_test_set(
    pictures: Sequence[Path],
    probabilities: Floats,
    classes: Sequence[str],
    limits: Limits,
    unfamiliarity: Floats | None = None,
) -> dict[str, Any]:
    """`{"statistics.json": ..., "constraints.json": ...}` of the scored test set.

    Takes the n picture files, probabilities float (n, k), the k class names, what a picture must meet to be routed, and
    how unfamiliar the pictures are, float (n,), NaN or None from a model that does not say it.

    Raises:
        DataError: a picture cannot be decoded.
    """
    profile = Profile()
    strange = np.full(len(pictures), np.nan) if unfamiliarity is None else unfamiliarity
    for first in range(0, len(pictures), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        profile.add(_columns(pictures[some], probabilities[some], strange[some], classes, limits))
    return {
        "statistics.json": to_statistics(profile),
        "constraints.json": constraints.suggested(profile, classes),
    }


def _columns(
    files: Sequence[Path], answers: Floats, strange: Floats, classes: Sequence[str], limits: Limits
) -> Columns:
    def refuse(row: int, reason: str) -> None:
        raise DataError(f"{files[row]}: {reason}.", "Take the image out of the test set.")

    measured, states = picture_features([file.read_bytes() for file in files], refuse)
    values = answer_features(answers.tolist(), classes, limits.confidence) | measured
    likeness, said = likeness_features(strange, limits.unfamiliarity)
    return Columns(values | likeness, {"answer": np.zeros(len(files), np.uint8), "picture": states, "likeness": said})


def model_quality_constraints(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Model Monitor's model-quality constraints from evaluation.json: no worse than the test set allows to expect.

    The threshold of a rate is the lower bound of its 95 % Wilson interval, from as many pictures as the rate is over.
    """
    images = int(evaluation["images"])
    if "binary_classification_metrics" in evaluation:
        kind, found = "binary_classification", evaluation["binary_classification_metrics"]
        matrix = np.array(evaluation["confusion_matrix"])
        over = {"accuracy": images, "precision": int(matrix[:, 1].sum()), "recall": int(matrix[1].sum())}
    else:
        kind, found = "multiclass_classification", evaluation["multiclass_classification_metrics"]
        over = dict.fromkeys(("accuracy", "weighted_precision", "weighted_recall"), images)
    rules = {
        name: {"threshold": _lower(found[name]["value"], n), "comparison_operator": "LessThanThreshold"}
        for name, n in over.items()
        if n
    }
    return {"version": 0.0, f"{kind}_constraints": rules}


def _lower(rate: float, n: int) -> float:
    return round(wilson(round(rate * n), n)[0], 6)
