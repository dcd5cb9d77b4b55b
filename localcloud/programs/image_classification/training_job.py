"""One training job: what `docker run <image> train` does with the container's /opt/ml."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path

import torch

from localcloud.errors import CustomerError
from localcloud.programs.image_classification.channels import check_channels, load_split
from localcloud.programs.image_classification.container_log import log, log_configuration, log_parameters, log_start
from localcloud.programs.image_classification.failure_file import write_failure
from localcloud.programs.image_classification.hyperparameters import ignored_settings, read_hyperparameters
from localcloud.programs.image_classification.training import train


def run_training_job(base: Path) -> int:
    """Train from the folders below `base`, the container's /opt/ml; gives the exit code.

    0 when a model is in `base/model`; 2 for a customer error, 1 for anything else, the reason in `base/output/failure`.
    """
    log_start(torch.__version__)
    try:
        _train(base)
    except CustomerError as error:
        log(f"Customer Error: {error}", "ERROR")
        write_failure(base / "output", f"ClientError: {error}")
        return error.exit_code
    except Exception as error:  # the job's boundary: whatever it is, SageMaker must be told
        log(f"Algorithm Error: {traceback.format_exc()}", "ERROR")
        write_failure(base / "output", f"AlgorithmError: {type(error).__name__}: {error}")
        return 1
    return 0


def _train(base: Path) -> None:
    provided = _read_provided(base / "input/config/hyperparameters.json")
    log_configuration(provided)
    hyperparameters = read_hyperparameters(provided)
    check_channels(base)
    data = base / "input/data"
    training, validation = (
        load_split(data, split, hyperparameters.num_classes, hyperparameters.resize)
        for split in ("train", "validation")
    )
    for warning in ignored_settings(provided):
        log(warning, "WARNING")
    log_parameters(hyperparameters)
    # Half the processors: on a busy machine, threads that wait for one another lose more than the other half gains.
    threads = int(os.environ.get("OMP_NUM_THREADS") or max(1, len(os.sched_getaffinity(0)) // 2))
    torch.set_num_threads(threads)
    log(f"Setting number of threads: {threads}")
    train(hyperparameters, training, validation, base / "model")


def _read_provided(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        provided = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CustomerError(f"hyperparameters.json is not JSON: {error}.") from error
    if not isinstance(provided, dict):
        raise CustomerError("hyperparameters.json is not a map of names to strings.")
    return {str(name): str(value) for name, value in provided.items()}
