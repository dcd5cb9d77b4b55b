"""Which test images look like a training image: a model that has seen nearly the same picture is not tested by it.

Two pictures are near-duplicates when their perceptual hashes (64 bits, of the discrete cosine transform's lowest
frequencies) differ in at most THRESHOLD bits; the training picture's mirror image counts as well, because training
flips pictures. Source of the hash: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions"
(2010), section 3.1.

THRESHOLD is the largest at which the pairs look alike to a person. On 800 training and 200 test pictures of bicycles
and motorcycles from CIFAR-100 it takes out 6 test images: about half of them are the same thing photographed alike, the
others the same kind in the same pose. At 10 bits most pairs are merely both shown from the side on white. Barz and
Denzler (2020) found duplicates of about one test image in ten in all of CIFAR-100, by features that no pixel hash has:
this is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from project.errors import DataError

THRESHOLD = 8
"""Greatest Hamming distance, in bits of 64."""
SIDE, LOW = 32, 8
BLOCK = 256
GREY = np.array([0.299, 0.587, 0.114])
"""Luma weights of ITU-R BT.601."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A test image and the training image that looks most like it; `distance` in bits."""

    image: str
    training_image: str
    distance: int


def pixels(folder: Path, names: Sequence[str]) -> NDArray[np.float64]:
    """The pictures as grey levels, float (n, 32, 32), 0 to 255.

    Raises:
        DataError: one is missing or no picture.
    """
    grey = np.empty((len(names), SIDE, SIDE))
    for row, name in enumerate(names):
        try:
            with Image.open(folder / name) as image:
                grey[row] = grey_levels(image)
        except Exception as error:  # decoders raise anything on damaged bytes
            reason = str(error) or type(error).__name__
            raise DataError(f"{folder / name}: not a readable image: {reason}.", "Build the manifests again.") from None
    return grey


def grey_levels(image: Image.Image) -> NDArray[np.float64]:
    """A picture as grey levels, float (32, 32), 0 to 255."""
    levels: NDArray[np.float64] = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), np.float64) @ GREY
    return levels


def hashes(grey: NDArray[np.float64]) -> Bits:
    """Perceptual hashes, bool (n, 64), of grey pictures (n, 32, 32): which low frequencies lie above their median."""
    wave = np.cos(np.pi * np.outer(np.arange(LOW), 2 * np.arange(SIDE) + 1) / (2 * SIDE))
    frequencies = (wave @ grey @ wave.T).reshape(len(grey), LOW * LOW)
    # The first is the mean brightness: it is far above the others, and would only shift their median.
    above: Bits = frequencies > np.median(frequencies[:, 1:], axis=1, keepdims=True)
    return above


def distances(a: Bits, b: Bits) -> NDArray[np.int64]:
    """Hamming distances, int (len(a), len(b))."""
    x, y = a.astype(np.float32), b.astype(np.float32)
    return np.rint(x @ (1 - y).T + (1 - x) @ y.T).astype(np.int64)


def blocks(a: Bits, b: Bits) -> Iterator[NDArray[np.int64]]:
    """The rows of `distances`, BLOCK at a time: a whole table of 20,000 pictures would fill three gigabytes."""
    for start in range(0, len(a), BLOCK):
        yield distances(a[start : start + BLOCK], b)


def find(images: Path, names: Sequence[str], training: Sequence[Path]) -> list[Pair]:
    """The near-duplicates among the test images `names` of folder `images`, each with its nearest training image.

    `training` are the folders of every picture that the training saw: also the validation set, which chooses epochs.

    Raises:
        DataError: a picture cannot be read, or there is no training picture at all.
    """
    seen = [file for folder in training for file in sorted(folder.rglob("*.png"))]
    if not seen:
        raise DataError(
            f"No PNG pictures in {', '.join(map(str, training))}.", "Give the folders of training pictures."
        )
    grey = pixels(Path(), [str(file) for file in seen])
    known, mirrored = hashes(grey), hashes(grey[:, :, ::-1])
    asked = hashes(pixels(images, names))
    pairs = []
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        apart = np.minimum(distances(block, known), distances(block, mirrored))
        for row, nearest in enumerate(apart.argmin(axis=1)):
            if apart[row, nearest] <= THRESHOLD:
                pairs.append(Pair(names[start + row], seen[nearest].name, int(apart[row, nearest])))
    return pairs
