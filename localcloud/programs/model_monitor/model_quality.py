"""Model quality: metrics of predictions against labels, thresholds from them, and metrics that have become worse.

"Model Quality Metrics" and the schemas of its files in the developer guide. A threshold is the baseline's own value.
Standard deviations, which AWS gets from samples, are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from localcloud.programs.model_monitor.distribution import Floats
from localcloud.programs.model_monitor.table import Columns, TableError

GROUPS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}
WORSE_ABOVE = {"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"}
"""Metrics of which more is worse; of all others, less."""
TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")


def profile(columns: Columns, environment: Mapping[str, str]) -> dict[str, Any]:
    """statistics.json of predictions with their labels.

    Raises:
        TableError: a column is missing, or has values that do not fit the problem type.
    """
    problem = environment.get("problem_type", "")
    if problem not in GROUPS:
        raise TableError(f"problem_type {problem!r} is none of {', '.join(GROUPS)}")
    truth = _column(columns, environment, "ground_truth_attribute")
    if truth is None:
        raise TableError("the job has no environment variable ground_truth_attribute")
    told = _column(columns, environment, "inference_attribute")
    chances = _column(columns, environment, "probability_attribute")
    if told is None and (chances is None or problem != "BinaryClassification"):
        raise TableError(f"{problem} needs the environment variable inference_attribute")
    if problem == "Regression":
        found = _regression(_numbers(truth), _numbers(told or []))
    elif problem == "BinaryClassification":
        found = _binary(truth, told, chances, float(environment.get("probability_threshold_attribute") or 0.5))
    else:
        found = _multiclass(truth, told or [])
    return {"version": 0.0, "dataset": {"item_count": len(truth)}, f"{GROUPS[problem]}_metrics": found}


def suggested(statistics: dict[str, Any]) -> dict[str, Any]:
    """constraints.json: no metric may become worse than it is."""
    found: dict[str, Any] = {"version": 0.0}
    for group in GROUPS.values():
        metrics = {name: one["value"] for name, one in statistics.get(f"{group}_metrics", {}).items() if "value" in one}
        if metrics:
            found[f"{group}_constraints"] = {
                name: {"threshold": value, "comparison_operator": _operator(name)} for name, value in metrics.items()
            }
    return found


def violations(
    columns: Columns, statistics: dict[str, Any], baseline: dict[str, Any], constraints: dict[str, Any]
) -> Iterator[dict[str, str]]:
    """Metrics beyond their thresholds."""
    for group in GROUPS.values():
        metrics = statistics.get(f"{group}_metrics", {})
        for name, rule in constraints.get(f"{group}_constraints", {}).items():
            operator, threshold = rule["comparison_operator"], float(rule["threshold"])
            if name not in metrics:
                continue
            value = float(metrics[name]["value"])
            if value < threshold if operator == "LessThanThreshold" else value > threshold:
                yield {
                    "constraint_check_type": operator,
                    "description": f"Metric {name} with {value:g} was {operator} '{threshold:g}'",
                    "metric_name": name,
                }


def _operator(name: str) -> str:
    return "GreaterThanThreshold" if name in WORSE_ABOVE else "LessThanThreshold"


def _column(columns: Columns, environment: Mapping[str, str], variable: str) -> list[str] | None:
    """The column that a variable names, by name or by its number."""
    wanted = environment.get(variable)
    if not wanted:
        return None
    names = list(columns)
    if wanted not in columns and wanted.isdecimal() and int(wanted) < len(names):
        wanted = names[int(wanted)]
    if wanted not in columns:
        raise TableError(f"{variable} is {wanted!r}, and the columns are {', '.join(names)}")
    return columns[wanted]


def _numbers(cells: list[str]) -> Floats:
    try:
        return np.asarray([float(cell) for cell in cells])
    except ValueError as error:
        raise TableError(f"a number is expected: {error}") from None


def _valued(**metrics: float) -> dict[str, dict[str, float]]:
    return {name: {"value": float(value)} for name, value in metrics.items()}


def _regression(truth: Floats, told: Floats) -> dict[str, Any]:
    error = told - truth
    spread = float(((truth - truth.mean()) ** 2).sum())
    mse = float((error**2).mean())
    found = _valued(mae=float(np.abs(error).mean()), mse=mse, rmse=mse**0.5)
    return {**found, **(_valued(r2=1 - float((error**2).sum()) / spread) if spread else {})}


def _binary(truth: list[str], told: list[str] | None, chances: list[str] | None, threshold: float) -> dict[str, Any]:
    labels = _flags(truth)
    scores = None if chances is None else _numbers(chances)
    said = _flags(told) if told is not None else (scores if scores is not None else labels) >= threshold
    tp, fp = int((said & labels).sum()), int((said & ~labels).sum())
    fn, tn = int((~said & labels).sum()), int((~said & ~labels).sum())
    precision, recall = _ratio(tp, tp + fp), _ratio(tp, tp + fn)
    found: dict[str, Any] = {
        "confusion_matrix": {"0": {"0": tn, "1": fp}, "1": {"0": fn, "1": tp}},
        **_valued(
            recall=recall,
            precision=precision,
            accuracy=_ratio(tp + tn, len(truth)),
            true_positive_rate=recall,
            true_negative_rate=_ratio(tn, tn + fp),
            false_positive_rate=_ratio(fp, tn + fp),
            false_negative_rate=_ratio(fn, tp + fn),
            f0_5=_f(precision, recall, 0.5),
            f1=_f(precision, recall, 1.0),
            f2=_f(precision, recall, 2.0),
        ),
    }
    if scores is not None and labels.any() and not labels.all():
        found |= _valued(auc=_auc(scores, labels))
    return found


def _multiclass(truth: list[str], told: list[str]) -> dict[str, Any]:
    pairs = Counter(zip(truth, told, strict=True))
    classes, total = sorted({*truth, *told}), len(truth)
    weights = {name: truth.count(name) / total for name in classes}
    right = {name: pairs[name, name] for name in classes}
    recall = {name: _ratio(right[name], sum(pairs[name, other] for other in classes)) for name in classes}
    precision = {name: _ratio(right[name], sum(pairs[other, name] for other in classes)) for name in classes}

    def weighted(value: Callable[[str], float]) -> float:
        return sum(weights[name] * value(name) for name in classes)

    return {
        "confusion_matrix": {name: {other: pairs[name, other] for other in classes} for name in classes},
        **_valued(
            accuracy=sum(right.values()) / total,
            weighted_recall=weighted(lambda name: recall[name]),
            weighted_precision=weighted(lambda name: precision[name]),
            weighted_f0_5=weighted(lambda name: _f(precision[name], recall[name], 0.5)),
            weighted_f1=weighted(lambda name: _f(precision[name], recall[name], 1.0)),
            weighted_f2=weighted(lambda name: _f(precision[name], recall[name], 2.0)),
        ),
    }


def _flags(cells: list[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    words = [cell.strip().lower() for cell in cells]
    if strange := sorted(set(words) - {*TRUE, *FALSE}):
        raise TableError(f"a binary label is 0 or 1, and not {strange[0]!r}")
    return np.asarray([word in TRUE for word in words])


def _auc(scores: Floats, labels: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """The share of pairs of a positive and a negative that the scores order rightly; ties count half."""
    positive, negative = np.sort(scores[labels]), np.sort(scores[~labels])
    below = np.searchsorted(negative, positive, side="left") + np.searchsorted(negative, positive, side="right")
    return float(below.sum()) / (2 * len(positive) * len(negative))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _f(precision: float, recall: float, beta: float) -> float:
    return _ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)
