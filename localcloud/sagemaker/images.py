"""Which local program stands in for a container image, by repository name.

An image's account, region and tag do not matter here: `763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:
2.10-cpu-py313` is `pytorch-training`. To run another image, a distribution that is installed beside localcloud
registers a Program that keeps the container contract (`train` or `serve` as its last argument, files below
$SAGEMAKER_BASE_DIR):

    entry_points={"localcloud.images": ["my-repository = my_package.local_images:PROGRAM"]}

A registered program takes the place of one in PROGRAMS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Literal

from localcloud.errors import LocalCloudError
from localcloud.sagemaker.errors import validation

Use = Literal["train", "serve", "process"]


@dataclass(frozen=True)
class Tunable:
    """How far a tuning job may change a hyperparameter: numbers from low to high, or any of the values."""

    kind: Literal["Integer", "Continuous", "Categorical"]
    low: float = 0.0
    high: float = 0.0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """What runs in place of an image.

    Attributes:
        uses: what the image can be asked to do.
        command: the image's own entry point, to which `train` or `serve` is appended; without one, a job must name its
            entry point.
        training: the entry point for training, where that is another one.
        metrics: names and regular expressions of the metrics that the image defines itself, as built-in algorithms do.
        tunable: the hyperparameters that a tuning job may change; nothing means any, as with a script of one's own.
    """

    uses: frozenset[Use]
    command: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    tunable: Mapping[str, Tunable] = field(default_factory=dict)


def _module(name: str) -> tuple[str, ...]:
    return ("python3", "-m", f"localcloud.programs.{name}")


IMAGE_CLASSIFICATION_TUNABLE = {
    "beta_1": Tunable("Continuous", 1e-6, 0.999),
    "beta_2": Tunable("Continuous", 1e-6, 0.999),
    "eps": Tunable("Continuous", 1e-8, 1.0),
    "gamma": Tunable("Continuous", 1e-8, 0.999),
    "learning_rate": Tunable("Continuous", 1e-6, 0.5),
    "mini_batch_size": Tunable("Integer", 8, 512),
    "momentum": Tunable("Continuous", 0.0, 0.999),
    "optimizer": Tunable("Categorical", values=("sgd", "adam", "rmsprop", "nag")),
    "weight_decay": Tunable("Continuous", 0.0, 0.999),
}
"""The developer guide, "Tune an Image Classification Model"."""

PROGRAMS: dict[str, Program] = {
    "image-classification": Program(
        frozenset({"train", "serve"}),
        _module("image_classification"),
        metrics=(
            ("train:accuracy", r"Epoch\[\d+\] Train-accuracy=([0-9.]+)"),
            ("validation:accuracy", r"Epoch\[\d+\] Validation-accuracy=([0-9.]+)"),
        ),
        tunable=IMAGE_CLASSIFICATION_TUNABLE,
    ),
    "pytorch-training": Program(frozenset({"train", "process"}), training=_module("script_mode")),
    "pytorch-inference": Program(frozenset({"serve", "process"}), _module("pytorch_inference")),
    "sagemaker-scikit-learn": Program(frozenset({"train", "process"}), training=_module("script_mode")),
}


GROUP = "localcloud.images"
"""The group of entry points: the name is an image's repository, the value an object of type Program."""
FIX = f"Correct its entry point in the group {GROUP}, or uninstall it."


@cache
def registered() -> dict[str, Program]:
    """The programs that installed distributions register, by repository; read once.

    Raises:
        LocalCloudError: an entry is wrong, or two distributions register the same repository.
    """
    return read_registered()


def read_registered() -> dict[str, Program]:
    """`registered`, read anew."""
    found: dict[str, Program] = {}
    for entry in entry_points(group=GROUP):
        where = f"The image {entry.name!r}, which {entry.dist.name if entry.dist else 'a distribution'} registers"
        try:
            program = entry.load()
        except (ImportError, AttributeError) as error:
            raise LocalCloudError(f"{where} as {entry.value}, cannot be loaded: {error}.", FIX) from None
        if not isinstance(program, Program):
            raise LocalCloudError(f"{where} as {entry.value}, is no Program but {type(program).__name__}.", FIX)
        if entry.name in found:
            raise LocalCloudError(f"{where}, is registered by another distribution as well.", FIX)
        found[entry.name] = program
    return found


def repository(image: str) -> str:
    """The repository of an image URI, without registry, tag and digest."""
    registry, slash, rest = image.partition("/")
    path = rest if slash and ("." in registry or ":" in registry) else image
    return re.split("[:@]", path, maxsplit=1)[0]


def program(image: str, use: Use) -> Program:
    """The program that stands in for `image` when it is to train, serve or process.

    Raises:
        ServiceError: ValidationException; there is none, or it cannot be used like that.
    """
    name = repository(image)
    programs = {**PROGRAMS, **registered()}
    found = programs.get(name)
    if found is None:
        known = ", ".join(sorted(programs))
        raise validation(
            f"No local program stands in for the image {image!r}: the local SageMaker knows the repositories {known}. "
            f"To add one, register {name!r} in the entry point group {GROUP}."
        )
    if use not in found.uses:
        raise validation(
            f"The image {image!r} cannot {use}: its repository {name!r} can {', '.join(sorted(found.uses))}."
        )
    return found
