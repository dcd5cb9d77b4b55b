"""The algorithm's endpoint, and what a script of the user's is given where it has no function of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from localcloud.errors import CustomerError
from localcloud.programs.handlers import Defaults, UnsupportedTypeError
from localcloud.programs.scikit_learn_inference import output_fn
from localcloud.programs.serving import Predict, RequestError
from localcloud.programs.xgboost_algorithm import data
from localcloud.programs.xgboost_algorithm.model_file import load_model

CSV, JSON = ("text/csv", "csv"), ("application/json", "json")


def load_predictor(model_dir: Path) -> Predict:
    """Load `xgboost-model` and give the prediction function.

    Raises:
        ArtifactError: it is not there, or no model.
    """
    booster = load_model(model_dir)
    booster.set_param({"nthread": 1})
    columns = booster.num_features()
    batch = bool(os.environ.get("SAGEMAKER_BATCH"))
    default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")

    def predict(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        accept = (default_accept if accept in ("", "*/*") else accept).lower()
        if not body.strip():
            raise RequestError(204, "")
        try:
            matrix = matrix_of(body, content_type or "text/csv", columns)
        except (CustomerError, UnicodeDecodeError) as error:
            raise RequestError(415, str(error)) from None
        if matrix.num_col() != columns:
            raise RequestError(
                400,
                f"Unable to evaluate payload provided: Feature size of {content_type} inference data "
                f"{matrix.num_col()} is not consistent with feature size of trained model {columns}.",
            )
        return _encoded(_predicted(booster, matrix), accept, batch), accept

    return predict


def matrix_of(body: str | bytes, content_type: str, columns: int = 0) -> xgboost.DMatrix:
    """A request's rows, without labels.

    Raises:
        CustomerError: the body is not of the content type, or that is not known.
    """
    text = body if isinstance(body, str) else body.decode("utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    if data.kind(content_type) == "libsvm":
        return xgboost.DMatrix(data.libsvm(lines, labelled=False, columns=columns)[1])
    return xgboost.DMatrix(data.csv_rows(lines))


def _predicted(booster: xgboost.Booster, matrix: xgboost.DMatrix) -> Any:
    best = booster.attr("best_iteration")  # of early stopping
    return booster.predict(matrix, iteration_range=(0, int(best) + 1) if best else (0, 0), validate_features=False)


def _encoded(predictions: Any, accept: str, batch: bool) -> bytes:
    """An endpoint's numbers stand on one line, as the container's do; a transform job's each on its own."""
    numbers = predictions.tolist()
    if accept in CSV:
        lines = map(str, numbers)
        return ("\n".join(lines) + "\n" if batch else ",".join(lines)).encode()
    if accept in JSON:
        return json.dumps(numbers).encode()
    raise RequestError(415, f"{accept} is not an accepted Accept type. Please choose text/csv or application/json.")


def _script_input(body: str | bytes, content_type: str) -> xgboost.DMatrix:
    try:
        data.kind(content_type)
    except CustomerError as error:
        raise UnsupportedTypeError(str(error)) from None
    return matrix_of(body, content_type)


def _script_predict(matrix: xgboost.DMatrix, model: Any) -> Any:
    return np.asarray(model.predict(matrix, validate_features=False))


SCRIPT_DEFAULTS: Defaults = {"input_fn": _script_input, "predict_fn": _script_predict, "output_fn": output_fn}
"""A script of the user's must have model_fn."""
