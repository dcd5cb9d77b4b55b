"""SageMaker's scikit-learn serving container: `python -m localcloud.programs.scikit_learn_inference serve`.

The user's script must have model_fn; the defaults of the other functions (handlers.py) are those of AWS's
sagemaker-scikit-learn-container and sagemaker-containers (Apache-2.0): NPY, JSON and CSV on both sides, numbers of text
as float32, `model.predict`. The container looks for the script only where SAGEMAKER_PROGRAM and
SAGEMAKER_SUBMIT_DIRECTORY say, which the SDK sets. A pickled array in NPY, which AWS's container loads, is refused.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from typing import Any

import numpy as np

from localcloud.programs.handlers import Defaults, UnsupportedTypeError, run

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
NAMED = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")


def input_fn(body: str | bytes, content_type: str) -> Any:
    """The numbers in the body; a single line of CSV is an array of one dimension, as in the container."""
    if content_type == NPY and isinstance(body, bytes):
        return np.load(io.BytesIO(body), allow_pickle=False)
    text = body if isinstance(body, str) else body.decode("utf-8")
    if content_type == JSON:
        return np.array(json.loads(text)).astype(np.float32)
    if content_type == CSV:
        return np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze().astype(np.float32)
    raise UnsupportedTypeError(f"Content type {content_type} is not supported by this framework.")


def predict_fn(data: Any, model: Any) -> Any:
    """What the model predicts."""
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> bytes:
    """The prediction as asked for; an array of one dimension is a column of CSV."""
    if accept == JSON:
        return json.dumps(prediction, default=lambda value: value.tolist()).encode()
    numbers = np.asarray(prediction)
    text = io.StringIO()
    if accept == CSV:
        csv.writer(text, lineterminator="\n").writerows(numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers)
        return text.getvalue().encode()
    if accept == NPY:
        file = io.BytesIO()
        np.save(file, numbers)
        return file.getvalue()
    raise UnsupportedTypeError(f"Content type {accept} is not supported by this framework.")


DEFAULTS: Defaults = {"input_fn": input_fn, "predict_fn": predict_fn, "output_fn": output_fn}


def main(arguments: list[str]) -> int:
    """Run the container's command; gives the process's exit code."""
    missing = [name for name in NAMED if not os.environ.get(name)]
    if missing:
        sys.stderr.write(
            f"Error: Loading the model's code: {' and '.join(missing)} must be in the model's Environment: "
            "the scikit-learn container has no default for it.\n"
        )
        return 1
    return run(arguments, DEFAULTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
