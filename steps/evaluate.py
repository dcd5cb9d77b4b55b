"""Job Evaluate: how good the model is, from what batch transform answered for the test images.

What the test set looks like becomes the baseline that this version's traffic is compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis import baseline
from monitoring.analysis.features import Limits
from monitoring.measures import metrics
from monitoring.measures.intervals import intervals
from monitoring.measures.metrics import Curve, Floats, Integers
from monitoring.measures.model_quality import model_quality
from project.errors import DataError
from project.files import write_folder, write_json
from steps import live_comparison, live_test, lst, near_duplicates, predictions

THRESHOLDS = np.round(np.arange(0.5, 1.0, 0.01), 2)
SHOWN = 20
"""At most so many mistakes, and so many uncertain answers, are listed."""
CURVE_POINTS = 200


def evaluate(
    labels: Integers,
    probabilities: Floats,
    classes: Sequence[str],
    images: Sequence[str],
    duplicates: Sequence[near_duplicates.Pair] | None = None,
    reviewed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that evaluation.json says.

    Takes labels int (n,), probabilities float (n, k), the k class names, the n image paths, where the training images
    were looked at the test images that nearly repeat one, and what `live_comparison` says of reviewed deliveries.
    `metrics` is flat and holds finite numbers only: it is what the quality gate reads; `<metric>_low` and
    `<metric>_high` bound its 95 % interval.

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
    bins = metrics.reliability(confidence, correct)
    bounds = intervals(labels, probabilities)
    values = {
        "auc": metrics.macro_auc(labels, probabilities),
        "expected_calibration_error": metrics.expected_calibration_error(bins),
        "log_loss": metrics.log_loss(labels, probabilities),
        "macro_precision": float(precisions.mean()),
        "macro_recall": float(recalls.mean()),
    }
    unlike, found = _without_near_duplicates(correct, images, duplicates)
    return {
        "classes": list(classes),
        "images": len(labels),
        "metrics": {
            **metrics.proportion("accuracy", int(correct.sum()), len(labels)),
            **values,
            **{f"{name}_low": low for name, (low, _) in bounds.items()},
            **{f"{name}_high": high for name, (_, high) in bounds.items()},
            **unlike,
            **(live_comparison.flat(reviewed) if reviewed else {}),
        },
        "near_duplicates": found,
        **({"reviewed": reviewed} if reviewed else {}),
        **model_quality(labels, probabilities),
        "per_class": {
            name: {
                "images": int(matrix[c].sum()),
                "wrong": int(matrix[c].sum() - matrix[c, c]),
                "taken_for_it": int(matrix[:, c].sum() - matrix[c, c]),
                **metrics.proportion("precision", int(matrix[c, c]), int(matrix[:, c].sum())),
                **metrics.proportion("recall", int(matrix[c, c]), int(matrix[c].sum())),
                "f1": metrics.f_score(float(precisions[c]), float(recalls[c])),
            }
            for c, name in enumerate(classes)
        },
        "confusion_matrix": matrix.tolist(),
        "threshold_curve": metrics.threshold_curve(confidence, correct, THRESHOLDS),
        "reliability": bins,
        "roc": roc_curves(labels, probabilities, classes),
        "worst_mistakes": worst_mistakes(labels, probabilities, classes, images),
        "least_certain": least_certain(labels, probabilities, classes, images),
    }


def _without_near_duplicates(
    correct: NDArray[np.bool_], images: Sequence[str], duplicates: Sequence[near_duplicates.Pair] | None
) -> tuple[dict[str, float | None], dict[str, Any] | None]:
    """The flat metrics without the near-duplicates, and which these are. No metric when no image would be left."""
    if duplicates is None:
        return {}, None
    repeated = {pair.image for pair in duplicates}
    kept = np.array([image not in repeated for image in images])
    unlike: dict[str, float | None] = {"near_duplicates": len(repeated)}
    if kept.any():
        right, n = int(np.count_nonzero(correct[kept])), int(np.count_nonzero(kept))
        unlike |= metrics.proportion("accuracy_without_near_duplicates", right, n)
    return unlike, {
        "hash": "64-bit DCT perceptual hash, mirror images included",
        "threshold": near_duplicates.THRESHOLD,
        "images": len(repeated),
        "images_left": int(np.count_nonzero(kept)),
        "pairs": [asdict(pair) for pair in duplicates],
    }


def roc_curves(labels: Integers, probabilities: Floats, classes: Sequence[str]) -> dict[str, Any]:
    """Per class against the rest (of two classes, for the second): the ROC curve and the area under it."""
    columns = [1] if len(classes) == 2 else range(len(classes))
    curves = {}
    for c in columns:
        curve = _thinned(metrics.roc(labels == c, probabilities[:, c]))
        curves[classes[c]] = {
            "false_positive_rates": curve.x.tolist(),
            "true_positive_rates": curve.y.tolist(),
            "auc": metrics.auc(labels == c, probabilities[:, c]),
        }
    return curves


def _thinned(curve: Curve) -> Curve:
    """At most CURVE_POINTS of the curve's points, its ends among them: more cannot be seen."""
    if len(curve.x) <= CURVE_POINTS:
        return curve
    kept = np.unique(np.linspace(0, len(curve.x) - 1, CURVE_POINTS).round().astype(int))
    return Curve(curve.x[kept], curve.y[kept])


def worst_mistakes(
    labels: Integers, probabilities: Floats, classes: Sequence[str], images: Sequence[str]
) -> list[dict[str, Any]]:
    """The most confident wrong answers, at most SHOWN of them, worst first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    worst = wrong[np.argsort(-probabilities.max(axis=1)[wrong], kind="stable")][:SHOWN]
    return [_answer(int(i), labels, probabilities, classes, images) for i in worst]


def least_certain(
    labels: Integers, probabilities: Floats, classes: Sequence[str], images: Sequence[str]
) -> list[dict[str, Any]]:
    """The answers of least confidence, right or wrong, at most SHOWN of them, least first."""
    order = np.argsort(probabilities.max(axis=1), kind="stable")[:SHOWN]
    return [_answer(int(i), labels, probabilities, classes, images) for i in order]


def _answer(
    i: int, labels: Integers, probabilities: Floats, classes: Sequence[str], images: Sequence[str]
) -> dict[str, Any]:
    return {
        "image": images[i],
        "actual": classes[labels[i]],
        "predicted": classes[probabilities[i].argmax()],
        "confidence": float(probabilities[i].max()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the job's arguments, run it, and print what it found."""
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="what batch transform wrote")
    parser.add_argument(
        "--labels", type=Path, required=True, help="the folder that holds test.lst, and the live test set's list"
    )
    parser.add_argument("--images", type=Path, required=True, help="the folder of the test images")
    parser.add_argument(
        "--training-images", type=Path, action="append", help="a folder of pictures that training saw; repeatable"
    )
    parser.add_argument("--classes", required=True, help="comma-separated class names, in the order of their labels")
    parser.add_argument(
        "--confidence-threshold",
        type=_fraction,
        default=Limits.confidence,
        help="below it a picture is not routed; for the baseline",
    )
    parser.add_argument(
        "--unfamiliarity-limit",
        type=_fraction,
        default=Limits.unfamiliarity,
        help="above it a picture is not routed; for the baseline",
    )
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(argv)
    classes = options.classes.split(",")
    entries = lst.read(options.labels / "test.lst", options.images, len(classes))
    images = [entry.path for entry in entries]
    live = live_test.read(options.labels)
    limits = Limits(options.confidence_threshold, options.unfamiliarity_limit)
    said = predictions.read(options.predictions, [*images, *(one["file"] for one in live)], len(classes))
    tested, of_live = said.take(slice(0, len(images))), said.take(slice(len(images), None))
    reviewed = live_comparison.compared(live, of_live, limits) if live else None
    seen = options.training_images
    duplicates = near_duplicates.find(options.images, images, seen) if seen else None
    labels = np.array([entry.label for entry in entries])
    evaluation = evaluate(labels, tested.probabilities, classes, images, duplicates, reviewed)
    pictures = [options.images / path for path in images]
    watched = baseline.of_test_set(pictures, tested.probabilities, classes, limits, tested.unfamiliarity)
    watched["model_quality_constraints.json"] = baseline.model_quality_constraints(evaluation)
    with write_folder(options.output) as scratch:
        write_json(scratch / "evaluation" / "evaluation.json", evaluation)
        for name, document in watched.items():
            write_json(scratch / "baseline" / name, document)
    found = evaluation["metrics"]
    print(
        f"Accuracy {found['accuracy']:.3f} (95 % interval {found['accuracy_low']:.3f} to {found['accuracy_high']:.3f}) "
        f"on {len(images)} images; {_unlike(found)}AUC {found['auc']:.3f}, "
        f"calibration error {found['expected_calibration_error']:.3f}.",
        flush=True,
    )
    for one in reviewed["versions"] if reviewed else []:
        print(
            f"On {one['images']} reviewed deliveries: new {one['new']:.3f}, version {one['version']} "
            f"{one['accuracy']:.3f}.",
            flush=True,
        )
    return 0


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:  # refuses NaN as well
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _unlike(found: dict[str, Any]) -> str:
    """The part of the job's last line about near-duplicates, if training images were looked at."""
    if "near_duplicates" not in found:
        return ""
    without = found.get("accuracy_without_near_duplicates")
    told = "none left without" if without is None else f"{without:.3f} without"
    return f"{told} the {found['near_duplicates']} that nearly repeat a training image; "
