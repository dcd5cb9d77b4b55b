"""The lines that the container writes to its log, in its format: `[MM/DD/YYYY HH:MM:SS INFO <threadid>] message`.

Consumers parse these lines (metric definitions, dashboards), so their order and wording follow real logs. A tab is
written as CloudWatch shows it: `#011`. Paths are the container's, wherever SAGEMAKER_BASE_DIR has put them.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from localcloud.programs.image_classification.hyperparameters import CONTAINER_DEFAULTS, AlgorithmHyperparameters

DEFAULTS_PATH = "/opt/amazon/lib/python3.8/site-packages/image_classification/default-input.json"
STAND_IN = (
    "Local stand-in for AWS's built-in image-classification algorithm: PyTorch {version} on CPU, not AWS's container."
)


def log(message: str, level: str = "INFO") -> None:
    """Write one line to standard output. Times are UTC, as in the container."""
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    sys.stdout.write(f"[{stamp} {level} {threading.get_ident()}] {message}\n")
    sys.stdout.flush()


def log_start(torch_version: str) -> None:
    """The first lines of a job. The very first says what this is; the container has none like it."""
    log(STAND_IN.format(version=torch_version))
    sys.stdout.write("Docker entrypoint called with argument(s): train\n")
    sys.stdout.write("Running default environment configuration script\n")
    sys.stdout.flush()


def log_configuration(provided: Mapping[str, Any]) -> None:
    """The three dumps of the configuration: defaults, the job's own, and both merged."""
    log(f"Reading default configuration from {DEFAULTS_PATH}: {CONTAINER_DEFAULTS}")
    log(f"Merging with provided configuration from /opt/ml/input/config/hyperparameters.json: {dict(provided)}")
    log(f"Final configuration: {CONTAINER_DEFAULTS | dict(provided)}")


def log_parameters(hyperparameters: AlgorithmHyperparameters) -> None:
    """The block of parameters in effect, from `use_pretrained_model` to the closing dashes."""
    log(f"use_pretrained_model: {hyperparameters.use_pretrained_model}")
    log(f"multi_label: {hyperparameters.multi_label}")
    log("Performing random weight initialization")
    log("---- Parameters ----")
    for line in parameter_lines(hyperparameters):
        log(line)
    log("--------------------")


def parameter_lines(hyperparameters: AlgorithmHyperparameters) -> list[str]:
    """The lines between the dashes: `name: value`, only those that the optimizer and the options make relevant."""
    augmentation = None if hyperparameters.augmentation_type == "none" else hyperparameters.augmentation_type
    lines = [
        f"num_layers: {hyperparameters.num_layers}",
        f"data type: <class 'numpy.{hyperparameters.precision_dtype}'>",
        f"epochs: {hyperparameters.epochs}",
    ]
    if hyperparameters.resize is not None:
        lines.append(f"image resize size: {hyperparameters.resize}")
    lines.append(f"optimizer: {hyperparameters.optimizer}")
    names = {"adam": ("beta_1", "beta_2", "eps"), "rmsprop": ("gamma", "eps")}
    for name in names.get(hyperparameters.optimizer, ("momentum", "weight_decay")):
        lines.append(f"{name}: {getattr(hyperparameters, name)}")
    lines.append(f"learning_rate: {hyperparameters.learning_rate}")
    if hyperparameters.lr_scheduler_step:
        lines.append(f"lr_scheduler_step: {','.join(map(str, hyperparameters.lr_scheduler_step))}")
    lines += [
        f"num_training_samples: {hyperparameters.num_training_samples}",
        f"mini_batch_size: {hyperparameters.mini_batch_size}",
        f"image_shape: {','.join(map(str, hyperparameters.image_shape))}",
        f"num_classes: {hyperparameters.num_classes}",
        f"augmentation_type: {augmentation}",
        "kv_store: device",
    ]
    if hyperparameters.top_k is not None:
        lines.append(f"top_k: {hyperparameters.top_k}")
    if hyperparameters.checkpoint_frequency is None:
        lines.append("checkpoint_frequency not set, will store the best model")
    else:
        lines.append(f"checkpoint_frequency: {hyperparameters.checkpoint_frequency}")
    if hyperparameters.early_stopping:
        lines += [
            "Using early stopping for training",
            f"Early stopping minimum epochs: {hyperparameters.early_stopping_min_epochs}",
            f"Early stopping patience: {hyperparameters.early_stopping_patience}",
            f"Early stopping tolerance: {hyperparameters.early_stopping_tolerance}",
        ]
    return lines
