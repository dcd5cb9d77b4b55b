"""Job Evaluate: how good the model is, from what batch transform answered for the test images.

What the test set looks like becomes the baseline that this version's traffic is compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitoring import baseline
from scones.errors import DataError
from steps import lst, metrics, predictions
from steps.metrics import Floats, Integers
from steps.model_quality import model_quality
from steps.outputs import published, write_json

THRESHOLDS = np.round(np.arange(0.5, 1.0, 0.01), 2)
MISTAKES = 20


def evaluate(labels: Integers, probabilities: Floats, classes: Sequence[str], images: Sequence[str]) -> dict[str, Any]:
    """Everything that evaluation.json says.

    Takes labels int (n,), probabilities float (n, k), the k class names and the n image paths. `metrics` is flat and
    holds finite numbers only: it is what the quality gate reads.

    Raises:
        DataError: no images, or a class without images: nothing can be said about such a model.
    """
    absent = sorted(set(range(len(classes))) - set(labels.tolist()))
    if absent:
        raise DataError(f"No test image of class {classes[absent[0]]!r}.", "Evaluate on images of every class.")
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    correct = predicted == labels
    matrix = metrics.confusion(labels, predicted, len(classes))
    precisions, recalls = metrics.precision_recall(matrix)
    low, high = metrics.wilson(int(correct.sum()), len(labels))
    bins = metrics.reliability(confidence, correct)
    return {
        "classes": list(classes),
        "images": len(labels),
        "metrics": {
            "accuracy": float(correct.mean()),
            "accuracy_low": low,
            "accuracy_high": high,
            "auc": metrics.macro_auc(labels, probabilities),
            "expected_calibration_error": metrics.expected_calibration_error(bins),
            "log_loss": metrics.log_loss(labels, probabilities),
            "macro_precision": float(precisions.mean()),
            "macro_recall": float(recalls.mean()),
        },
        **model_quality(labels, probabilities),
        "per_class": {
            name: {
                "images": int(matrix[c].sum()),
                "precision": float(precisions[c]),
                "recall": float(recalls[c]),
                "f1": metrics.f_score(float(precisions[c]), float(recalls[c])),
            }
            for c, name in enumerate(classes)
        },
        "confusion_matrix": matrix.tolist(),
        "threshold_curve": metrics.threshold_curve(confidence, correct, THRESHOLDS),
        "reliability": bins,
        "worst_mistakes": worst_mistakes(labels, probabilities, classes, images),
    }


def worst_mistakes(
    labels: Integers, probabilities: Floats, classes: Sequence[str], images: Sequence[str]
) -> list[dict[str, Any]]:
    """The most confident wrong answers, at most MISTAKES of them, worst first."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    return [
        {
            "image": images[i],
            "actual": classes[labels[i]],
            "predicted": classes[predicted[i]],
            "confidence": float(confidence[i]),
        }
        for i in worst
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the job's arguments, run it, and print what it found."""
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="what batch transform wrote")
    parser.add_argument("--labels", type=Path, required=True, help="the folder that holds test.lst")
    parser.add_argument("--images", type=Path, required=True, help="the folder of the test images")
    parser.add_argument("--classes", required=True, help="comma-separated class names, in the order of their labels")
    parser.add_argument(
        "--confidence-threshold", type=float, default=0.93, help="below it a picture is not routed; for the baseline"
    )
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(argv)
    classes = options.classes.split(",")
    entries = lst.read(options.labels / "test.lst", options.images, len(classes))
    images = [entry.path for entry in entries]
    probabilities = predictions.read(options.predictions, images, len(classes))
    evaluation = evaluate(np.array([entry.label for entry in entries]), probabilities, classes, images)
    pictures = [options.images / path for path in images]
    watched = baseline.of_test_set(pictures, probabilities, classes, options.confidence_threshold)
    watched["model_quality_constraints.json"] = baseline.model_quality_constraints(evaluation)
    with published(options.output) as scratch:
        write_json(scratch / "evaluation" / "evaluation.json", evaluation)
        for name, document in watched.items():
            write_json(scratch / "baseline" / name, document)
    found = evaluation["metrics"]
    print(
        f"Accuracy {found['accuracy']:.3f} (95 % interval {found['accuracy_low']:.3f} to {found['accuracy_high']:.3f}) "
        f"on {len(images)} images; AUC {found['auc']:.3f}, "
        f"calibration error {found['expected_calibration_error']:.3f}.",
        flush=True,
    )
    return 0
