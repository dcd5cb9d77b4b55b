"""The algorithm's hyperparameters: names, defaults and ranges, all arriving as strings.

Source: SageMaker developer guide, "Image Classification Hyperparameters", corrected by what the container prints in
real logs: early stopping defaults to patience 10 and tolerance 0.01 (the guide says 5 and 0), momentum to 0.9.
Errors are worded as the container words them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import CustomerError

SMALL_IMAGE_LAYERS = (20, 32, 44, 56, 110)
LARGE_IMAGE_LAYERS = (18, 34, 50, 101, 152, 200)

# What the container prints as its default-input.json, in its order. Its momentum of 0 is a placeholder for 0.9.
CONTAINER_DEFAULTS: dict[str, Any] = {
    "use_pretrained_model": 0,
    "num_layers": 152,
    "epochs": 30,
    "learning_rate": 0.1,
    "lr_scheduler_factor": 0.1,
    "optimizer": "sgd",
    "momentum": 0,
    "weight_decay": 0.0001,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "eps": 1e-08,
    "gamma": 0.9,
    "mini_batch_size": 32,
    "image_shape": "3,224,224",
    "precision_dtype": "float32",
}


@dataclass(frozen=True)
class SettingRule:
    """How one hyperparameter is read: `read` turns its string into a value or raises ValueError."""

    read: Callable[[str], Any]
    expects: str


def _integer(low: int, high: int | None = None) -> SettingRule:
    def read(text: str) -> int:
        value = int(text)
        if value < low or (high is not None and value > high):
            raise ValueError(text)
        return value

    span = f"an integer between {low} and {high}" if high is not None else f"an integer of at least {low}"
    return SettingRule(read, span)


def _fraction() -> SettingRule:
    def read(text: str) -> float:
        value = float(text)
        if not 0 <= value <= 1:  # also refuses nan
            raise ValueError(text)
        return value

    return SettingRule(read, "a number between 0 and 1")


def _choice(*values: str) -> SettingRule:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(text)
        return text

    return SettingRule(read, f"one of the following: {', '.join(values)}")


def _number_choice(*values: int) -> SettingRule:
    def read(text: str) -> int:
        if int(text) not in values:
            raise ValueError(text)
        return int(text)

    return SettingRule(read, f"one of the following: {', '.join(map(str, values))}")


def _boolean() -> SettingRule:
    def read(text: str) -> bool:
        return {"true": True, "false": False}[text.lower()]

    return SettingRule(read, "one of the following: True, False")


def _image_shape() -> SettingRule:
    def read(text: str) -> tuple[int, int, int]:
        if not re.fullmatch(r"[1-9]\d*( *, *[1-9]\d*){2}", text):
            raise ValueError(text)
        channels, height, width = (int(part) for part in text.split(","))
        return channels, height, width

    return SettingRule(read, "a string of three positive integers, 'channels,height,width'")


def _epoch_list() -> SettingRule:
    def read(text: str) -> tuple[int, ...]:
        if not re.fullmatch(r"[1-9]\d*( *, *[1-9]\d*)*", text):
            raise ValueError(text)
        return tuple(int(part) for part in text.split(","))

    return SettingRule(read, "a string of epochs separated by commas, such as '10,20'")


RULES: dict[str, SettingRule] = {
    "num_classes": _integer(1),
    "num_training_samples": _integer(1),
    "num_layers": _number_choice(*SMALL_IMAGE_LAYERS, *LARGE_IMAGE_LAYERS),
    "image_shape": _image_shape(),
    "resize": _integer(1),
    "epochs": _integer(1),
    "mini_batch_size": _integer(1),
    "learning_rate": _fraction(),
    "lr_scheduler_factor": _fraction(),
    "lr_scheduler_step": _epoch_list(),
    "optimizer": _choice("sgd", "adam", "rmsprop", "nag"),
    "momentum": _fraction(),
    "weight_decay": _fraction(),
    "beta_1": _fraction(),
    "beta_2": _fraction(),
    "eps": _fraction(),
    "gamma": _fraction(),
    "augmentation_type": _choice("none", "crop", "crop_color", "crop_color_transform"),
    "early_stopping": _boolean(),
    "early_stopping_min_epochs": _integer(1),
    "early_stopping_patience": _integer(1),
    "early_stopping_tolerance": _fraction(),
    "checkpoint_frequency": _integer(1),
    "top_k": _integer(2),
    "use_pretrained_model": _number_choice(0, 1),
    "multi_label": _number_choice(0, 1),
    "use_weighted_loss": _number_choice(0, 1),
    "precision_dtype": _choice("float32", "float16"),
    "kv_store": _choice("dist_sync", "dist_async"),
}
REQUIRED = ("num_classes", "num_training_samples")
# A tuning job adds its objective to the hyperparameters of every job that it starts.
ADDED_BY_SAGEMAKER = ("_tuning_objective_metric",)


@dataclass(frozen=True)
class AlgorithmHyperparameters:
    """One job's hyperparameters, checked. Names and meanings are the container's; epochs count from 1."""

    num_classes: int
    num_training_samples: int
    num_layers: int = 152
    image_shape: tuple[int, int, int] = (3, 224, 224)
    resize: int | None = None
    epochs: int = 30
    mini_batch_size: int = 32
    learning_rate: float = 0.1
    lr_scheduler_factor: float = 0.1
    lr_scheduler_step: tuple[int, ...] = ()
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0001
    beta_1: float = 0.9
    beta_2: float = 0.999
    eps: float = 1e-8
    gamma: float = 0.9
    augmentation_type: str = "none"
    early_stopping: bool = False
    early_stopping_min_epochs: int = 10
    early_stopping_patience: int = 10
    early_stopping_tolerance: float = 0.01
    checkpoint_frequency: int | None = None
    top_k: int | None = None
    use_pretrained_model: int = 0
    multi_label: int = 0
    use_weighted_loss: int = 0
    precision_dtype: str = "float32"
    kv_store: str | None = None

    @property
    def image_height_width(self) -> tuple[int, int]:
        return self.image_shape[1], self.image_shape[2]


def read_hyperparameters(provided: Mapping[str, str]) -> AlgorithmHyperparameters:
    """Check the hyperparameters of a job, as in hyperparameters.json, and fill in the defaults.

    Raises CustomerError, worded as the container does, for unknown or missing names and for values out of range, and
    for settings that exist on AWS but that this stand-in does not have.
    """
    given = {name: value for name, value in provided.items() if name not in ADDED_BY_SAGEMAKER}
    _refuse_unknown(given)
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise CustomerError(
            f"No value(s) were specified for {names} which are required hyperparameter(s) (caused by ValidationError)"
        )
    values = {name: _read(name, given[name]) for name in RULES if name in given}
    if "lr_scheduler_factor" not in given:
        values.pop("lr_scheduler_step", None)  # the container's quirk: its own default factor does not count
    hyperparameters = AlgorithmHyperparameters(**values)
    _check_together(hyperparameters)
    return hyperparameters


def ignored_settings(provided: Mapping[str, str]) -> list[str]:
    """The warnings about settings that are accepted and have no effect; the first is the container's own."""
    warnings = []
    if "lr_scheduler_step" in provided and "lr_scheduler_factor" not in provided:
        warnings.append("lr_scheduler_step defined without lr_scheduler_factor, will be ignored...")
    if provided.get("precision_dtype") == "float16":
        warnings.append("precision_dtype float16 trains in bfloat16 where this processor computes it, else in float32.")
    if provided.get("use_weighted_loss") == "1":
        warnings.append("use_weighted_loss is used only when multi_label is 1, and will be ignored.")
    if "kv_store" in provided:
        warnings.append("kv_store is used only when training on several machines, and will be ignored.")
    return warnings


def _refuse_unknown(given: Mapping[str, str]) -> None:
    unknown = sorted(set(given) - set(RULES))
    if not unknown:
        return
    names = ", ".join(f"'{name}'" for name in unknown)
    verb = "was" if len(unknown) == 1 else "were"
    near = difflib.get_close_matches(unknown[0], RULES, n=1)
    raise CustomerError(
        f"Additional hyperparameters are not allowed ({names} {verb} unexpected) (caused by ValidationError)",
        f"Did you mean '{near[0]}'?" if near else "",
    )


def _read(name: str, text: str) -> Any:
    rule = RULES[name]
    try:
        return rule.read(str(text).strip())
    except (ValueError, KeyError):
        raise CustomerError(
            f"The value '{text}' is not valid for the '{name}' hyperparameter which expects {rule.expects} "
            "(caused by ValidationError)"
        ) from None


def _check_together(hyperparameters: AlgorithmHyperparameters) -> None:
    channels, height, width = hyperparameters.image_shape
    if channels != 3:
        raise CustomerError(f"image_shape asks for {channels} channels; the local stand-in reads images as 3 (RGB).")
    if hyperparameters.resize is not None and hyperparameters.resize < max(height, width):
        raise CustomerError(
            f"The value '{hyperparameters.resize}' is not valid for the 'resize' hyperparameter: the shortest side "
            f"after resizing must not be smaller than image_shape ({height}x{width})."
        )
    if (
        hyperparameters.checkpoint_frequency is not None
        and hyperparameters.checkpoint_frequency > hyperparameters.epochs
    ):
        raise CustomerError(
            f"The value '{hyperparameters.checkpoint_frequency}' is not valid for the 'checkpoint_frequency' "
            f"hyperparameter which expects an integer no greater than epochs ({hyperparameters.epochs})"
        )
    if hyperparameters.use_pretrained_model:
        raise CustomerError(
            "use_pretrained_model is 1, and the local stand-in has no pretrained weights.",
            "Set it to 0, or train on AWS.",
        )
    if hyperparameters.multi_label:
        raise CustomerError(
            "multi_label is 1, and the local stand-in classifies each image into one class only.",
            "Set it to 0, or train on AWS.",
        )
