"""What the job and its members tell each other: plain arrays, so that the job itself needs no PyTorch.

Importing it takes two seconds, and the members, who need it, import it at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Convolution = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Filters (outputs, inputs, height, width) and biases (outputs,)."""


@dataclass(frozen=True)
class Examples:
    """Pictures, uint8 RGB (N, side, side, 3), and their labels (N,)."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Others:
    """Pictures of other classes, labels from 0: to learn from, and strangers that nobody learns from (perhaps none)."""

    learned: Examples
    strangers: Examples


@dataclass(frozen=True)
class Progress:
    """What a member reports after an epoch: shares of right answers, the loss on held-out images, and seconds."""

    epoch: int
    train_accuracy: float
    held_out_accuracy: float
    held_out_loss: float
    seconds: float


@dataclass(frozen=True)
class Folded:
    """A trained network with every normalisation folded into the convolution before it.

    `whiten` takes pixels in 0..255; `groups` are the two convolutions of each group; `head` maps the features to
    logits, (classes, features); `directions`, (features, classes), to their likeness to each class (`likeness.py`).
    """

    whiten: Convolution
    groups: list[tuple[Convolution, Convolution]]
    head: NDArray[np.float32]
    directions: NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """A member's result: its network, and its logits (N, classes) and likeness (N,) of the images that it held out.

    `strangers_likeness`, (M,), is that of the pictures of other classes that no member learned from.
    """

    network: Folded
    held_out_logits: NDArray[np.float64]
    held_out_likeness: NDArray[np.float64]
    strangers_likeness: NDArray[np.float64]
