"""One training job: channels `train` and `validation`, metrics of each round in the log, `xgboost-model`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import xgboost
from xgboost.callback import TrainingCallback

from localcloud.errors import CustomerError
from localcloud.programs.xgboost_algorithm import data, hyperparameters, model_file

CUSTOMER_ERRORS = ("label must be in", "label must be nonnegative", "labels must be", "Invalid Parameter", "should be")
"""What xgboost says of data and settings, rather than of itself."""
FAILED = 1


class _Log(TrainingCallback):
    """Print a round's metrics as the service shows the container's line: `#011` is its tab."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        values = "#011".join(
            f"{channel}-{metric}:{values[-1]:.5f}"
            for channel, by_metric in evals_log.items()
            for metric, values in by_metric.items()
        )
        print(f"[{epoch}]#011{values}", flush=True)
        return False


def run_training_job(base: Path) -> int:
    """Train by what the job's folder says; gives the exit code. The customer's own mistakes are in `output/failure`."""
    try:
        _train(base)
    except CustomerError as error:
        message = f"ClientError: {error}"
        (base / "output" / "failure").write_text(message, encoding="utf-8")
        sys.stderr.write(f"{message}\n")
        return FAILED
    return 0


def _train(base: Path) -> None:
    settings = hyperparameters.parse(_json(base, "hyperparameters"))
    channels = _json(base, "inputdataconfig")
    if "train" not in channels:
        raise CustomerError("Missing required channel: train.")
    content_type = channels["train"].get("ContentType", "libsvm")
    train = data.read_channel(base / "input" / "data" / "train", content_type, weights=settings.csv_weights)
    watched = [(train, "train")]
    print(f"Train matrix has {train.num_row()} rows", flush=True)
    if "validation" in channels:
        validation = data.read_channel(
            base / "input" / "data" / "validation", channels["validation"].get("ContentType", content_type)
        )
        watched.append((validation, "validation"))
        print(f"Validation matrix has {validation.num_row()} rows", flush=True)
    try:
        booster = xgboost.train(
            dict(settings.parameters),
            train,
            num_boost_round=settings.rounds,
            evals=watched,
            early_stopping_rounds=settings.early_stopping,
            callbacks=[_Log()],
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        text = str(error)
        if isinstance(error, ValueError) or any(part in text for part in CUSTOMER_ERRORS):
            raise CustomerError(_first_line(text)) from None
        raise
    model_file.write_model(booster, base / "model", os.environ.get("LOCALCLOUD_IMAGE", ""))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "xgboost failed")


def _json(base: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((base / "input" / "config" / f"{name}.json").read_text(encoding="utf-8"))
    return found
