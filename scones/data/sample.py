"""The sample archive: drawn vehicles in CIFAR-100's own format, the same bytes every time for a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from project.cifar100 import FINE_NAMES
from scones.data.canvas import SIDE, Canvas, Dice, Field
from scones.data.drawings import DRAWN, Drawing, anything

BATCH = 50
"""Pictures drawn at once: few enough that they stay in the processor's cache."""


@dataclass(frozen=True)
class Pictures:
    """One part of an archive: pixels uint8 (n, 3072) in CIFAR's plane order, fine labels int64 (n,), file names."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: list[str]


def pictures(per_class: dict[str, int], part: int, seed: int) -> Pictures:
    """Draw `per_class` pictures of each class named, and shuffle them. `part` 0 is train, 1 is test."""
    labels = np.concatenate([np.full(n, FINE_NAMES.index(name)) for name, n in per_class.items()])
    pixels = np.concatenate([_of_class(name, n, part, seed) for name, n in per_class.items()])
    order = np.argsort(np.random.Generator(np.random.PCG64([seed, part])).random(len(labels)), kind="stable")
    # As in the original, a name must not tell a bicycle from a motorcycle.
    names = [f"bike_s_{number:06d}.png" for number in range(len(labels))]
    return Pictures(pixels[order], labels[order], names)


def _of_class(name: str, n: int, part: int, seed: int) -> NDArray[np.uint8]:
    label = FINE_NAMES.index(name)
    batches = [
        draw(DRAWN.get(name, anything), Dice([seed, part, label, first], min(BATCH, n - first)))
        for first in range(0, n, BATCH)
    ]
    return np.concatenate(batches) if batches else np.empty((0, 3 * SIDE * SIDE), np.uint8)


def draw(drawing: Drawing, dice: Dice) -> NDArray[np.uint8]:
    """As many pictures as there are dice for: scene, object, something in the way, and a camera's faults."""
    canvas = Canvas(_scene(dice))
    facing = 1 - 2 * dice.chance(0.5)
    canvas.place(
        dice.between(13.0, 18.0),
        dice.between(15.5, 20.0),
        dice.between(7.0, 9.8),
        facing * dice.between(0.6, 1.0),
        dice.between(-0.2, 0.2),
    )
    drawing(canvas, dice)
    canvas.place(dice.between(0, 31), dice.between(4, 31), dice.between(2, 8), 1 + 0 * facing, dice.between(-0.5, 0.5))
    canvas.paint(canvas.box(0, 0, dice.between(0.3, 1.0), dice.between(0.5, 2.5)), dice.colour(), dice.chance(0.15))
    return _photographed(canvas.pictures, dice)


def _scene(dice: Dice) -> Field:
    """A plain white background, or a ground below a sky, blotched."""
    studio = dice.chance(0.3)[:, None]
    sky, ground = dice.grey(0.45, 0.95) + dice.colour(-0.2, 0.2), dice.grey(0.15, 0.75) + dice.colour(-0.12, 0.12)
    row = np.arange(SIDE, dtype=np.float32)[None, None, :, None]
    below = np.clip(row - dice.between(8, 26)[:, None], 0, 1)
    outside = sky + (ground - sky) * below + dice.texture(4, 0.15) + dice.texture(11, 0.12)
    scene: Field = studio * np.float32(0.97) + (1 - studio) * outside
    return scene


def _photographed(pictures: Field, dice: Dice) -> NDArray[np.uint8]:
    blur = dice.between(0.0, 0.3)[:, None]
    for axis in (2, 3):
        pictures = pictures + blur * (np.roll(pictures, 1, axis) + np.roll(pictures, -1, axis) - 2 * pictures)
    grey = dice.chance(0.08)[:, None]
    mean = (pictures[:, :1] + pictures[:, 1:2] + pictures[:, 2:]) / np.float32(3)
    pictures = pictures + grey * (mean - pictures)
    contrast, brightness = dice.between(0.55, 1.1)[:, None], dice.between(-0.12, 0.12)[:, None]
    pictures = (
        (pictures - np.float32(0.5)) * contrast + np.float32(0.5) + brightness + dice.noise(dice.between(0.0, 0.16))
    )
    shades: NDArray[np.uint8] = np.rint(np.clip(pictures, 0, 1) * np.float32(255)).astype(np.uint8)
    return shades.reshape(len(pictures), -1)
