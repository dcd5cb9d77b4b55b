"""The algorithm's hyperparameters: texts in, what xgboost takes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.errors import CustomerError

METRICS = frozenset(
    {
        *("auc", "aucpr", "map", "ndcg", "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik"),
        *("interval-regression-accuracy", "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "poisson-nloglik"),
        *("rmse", "rmsle", "tweedie-nloglik"),
    }
)
"""xgboost's own. The container's others (accuracy, f1, precision, recall, r2, mse …) are not done here."""
THRESHOLDS = ("error", "map", "ndcg", "tweedie-nloglik")  # name@threshold
OWN = ("num_round", "early_stopping_rounds", "csv_weights", "eval_metric", "_tuning_objective_metric", "verbosity")
PASSED_ON = frozenset(
    {
        *("booster", "nthread", "eta", "gamma", "max_depth", "min_child_weight", "max_delta_step", "subsample"),
        *("sampling_method", "colsample_bytree", "colsample_bylevel", "colsample_bynode", "lambda", "alpha"),
        *("tree_method", "scale_pos_weight", "updater", "refresh_leaf", "process_type", "grow_policy", "max_leaves"),
        *("max_bin", "monotone_constraints", "interaction_constraints", "sample_type", "normalize_type", "rate_drop"),
        *("one_drop", "skip_drop", "tweedie_variance_power", "objective", "num_class", "base_score", "seed"),
        *("num_parallel_tree", "aft_loss_distribution", "aft_loss_distribution_sigma", "max_cached_hist_node"),
    }
)
WITHOUT_EFFECT = frozenset({"silent", "predictor", "sketch_eps", "dsplit", "lambda_bias"})
"""Of versions that had them; xgboost has dropped them, and they change no tree."""


@dataclass(frozen=True)
class Settings:
    """What is trained, and how."""

    parameters: Mapping[str, object]
    rounds: int
    early_stopping: int | None
    csv_weights: bool


def parse(given: Mapping[str, str]) -> Settings:
    """The settings of a job's hyperparameters.

    Raises:
        CustomerError: one is missing, unknown or out of range.
    """
    for name in given:
        if name not in PASSED_ON | WITHOUT_EFFECT | set(OWN):
            raise CustomerError(f"Extraneous hyperparameter found: {name}.")
    if "num_round" not in given:
        raise CustomerError("Missing required hyperparameter: num_round.")
    objective = given.get("objective", "reg:squarederror")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in given:
        raise CustomerError("Require input for parameter 'num_class' for multi-classification.")
    parameters: dict[str, object] = {name: value for name, value in given.items() if name in PASSED_ON}
    if metrics := _metrics(given):
        parameters["eval_metric"] = metrics
    if objective == "reg:linear":  # its name until 0.90, which the container goes on taking
        parameters["objective"] = "reg:squarederror"
    return Settings(
        {"verbosity": given.get("verbosity", "1"), **parameters},
        _whole(given, "num_round"),
        _whole(given, "early_stopping_rounds") if "early_stopping_rounds" in given else None,
        given.get("csv_weights") == "1",
    )


def _whole(given: Mapping[str, str], name: str) -> int:
    text = given[name].strip()
    if not text.isdecimal() or int(text) < 1:
        raise CustomerError(f"Hyperparameter {name}: value {text!r} is not in range [1, inf].")
    return int(text)


def _metrics(given: Mapping[str, str]) -> list[str]:
    """The metrics that are printed; a tuning job's objective is the last, which early stopping looks at."""
    names = [name.strip() for name in given.get("eval_metric", "").split(",") if name.strip()]
    objective = given.get("_tuning_objective_metric", "").removeprefix("validation:")
    for name in [*names, *([objective] if objective else [])]:
        kind, at, _ = name.partition("@")
        if kind not in METRICS or (at and kind not in THRESHOLDS):
            raise CustomerError(f"Hyperparameter eval_metric: {name!r} is none of {', '.join(sorted(METRICS))}.")
    return [name for name in names if name != objective] + ([objective] if objective else [])
