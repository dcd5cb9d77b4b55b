"""The hyperparameters of a training job, as SageMaker passes them: a flat JSON map of strings."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project import json_text
from project.errors import UsageError


@dataclass(frozen=True)
class Hyperparameters:
    """Everything that may be tuned. Chosen by cross-validation on training images only."""

    epochs: int = 64
    seed: int = 7
    members: int = 3
    """Networks in the ensemble; each is a process of its own while training."""
    width: int = 32
    """Channels of the first group of convolutions; the second has twice as many, the third at least 128."""
    batch_size: int = 64
    filter_learning_rate: float = 0.1
    """Of the convolutions, whose filters have norm 1."""
    learning_rate: float = 0.1
    """Of everything else."""
    bias_factor: float = 8.0
    """Learning rate of the biases in units of `learning_rate`."""
    momentum: float = 0.85
    weight_decay: float = 0.0013
    """Of the last layer."""
    warmup: float = 0.2
    """Share of the steps in which the learning rate rises from 0; then it falls to 0, both linearly."""
    label_smoothing: float = 0.1
    turned_share: float = 0.5
    """Share of each batch that is shown once more, turned by 0 to 3 quarters, to be told by how many."""
    turned_weight: float = 0.5
    """Weight of that question in the loss."""
    other_pictures: int = 0
    """Pictures of the archive's other classes to learn from as well, at most; 0: none (docs/training.md)."""
    other_share: float = 0.5
    """How many of them are added to each batch, as a share of it."""
    other_weight: float = 0.5
    """Weight in the loss of the question what all of a batch's pictures show, theirs included."""
    averaging: float = 0.99
    """What stays of the mean of the weights, which is served, at each step; 0 serves the last weights."""

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels of the three groups of convolutions."""
        return self.width, 2 * self.width, max(128, 2 * self.width)


RECIPES: dict[str, dict[str, int]] = {"standard": {}, "thorough": {"members": 6}}
"""What `recipe` in scones.toml changes of the defaults: more members, which cost as much more to train and to ask."""

LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "seed": (0, 2**31 - 1),
    "members": (1, 8),
    "width": (8, 512),
    "batch_size": (2, 4096),
    "filter_learning_rate": (1e-6, 1),
    "learning_rate": (1e-6, 10),
    "momentum": (0, 0.999),
    "weight_decay": (0, 1),
    "bias_factor": (0, 100),
    "warmup": (0, 0.9),
    "label_smoothing": (0, 0.5),
    "turned_share": (0, 1),
    "turned_weight": (0, 10),
    "other_pictures": (0, 20_000),
    "other_share": (0.02, 1),
    "other_weight": (0, 10),
    "averaging": (0, 0.9999),
}
SERVICE_PREFIXES = ("sagemaker_", "_tuning_")
"""Names that SageMaker itself adds (script mode, tuning jobs); they are not for us."""


def read(path: Path) -> Hyperparameters:
    """The hyperparameters in the file at `path`; the defaults when there is no such file.

    Raises:
        UsageError: not a JSON map, an unknown name, or a value of the wrong type or range.
    """
    try:
        values = json_text.parsed(path.read_bytes())
    except FileNotFoundError:
        return Hyperparameters()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read the hyperparameters: {error}.") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path}: hyperparameters are a JSON map, found {type(values).__name__}.")
    return parse(values)


def parse(values: Mapping[str, object]) -> Hyperparameters:
    """Turn names and values (strings, or numbers) into hyperparameters.

    Raises:
        UsageError: an unknown name, or a value of the wrong type or range.
    """
    types = {name: type(value) for name, value in dataclasses.asdict(Hyperparameters()).items()}
    chosen: dict[str, int | float] = {}
    for name, value in values.items():
        if name.startswith(SERVICE_PREFIXES):
            continue
        if name not in types:
            near = difflib.get_close_matches(name, types, n=1)
            fix = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(types)}."
            raise UsageError(f"Unknown hyperparameter `{name}`.", fix)
        chosen[name] = _number(name, str(value), types[name])
    return Hyperparameters(**chosen)  # type: ignore[arg-type]  # each value has its field's type by construction


def _number(name: str, text: str, kind: type[int] | type[float]) -> int | float:
    low, high = LIMITS[name]
    try:
        number = kind(text.strip().strip('"'))  # the SDK writes strings as JSON, quotes included
    except ValueError:
        raise UsageError(f"Hyperparameter `{name}` is {text!r}, which is not a {kind.__name__}.") from None
    if not low <= number <= high:
        raise UsageError(f"Hyperparameter `{name}` is {number}; it must be from {low:g} to {high:g}.")
    return number
