"""Pictures of nothing that a model was trained on, 32 pixels wide: what would be routed of them?

`scrambled` are the hardest: the test's own vehicles, their sixteen parts in another order. `drawn` are the sample's
bus, train, pickup truck and apple. Pictures of the archive's other classes, and of a folder, are photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scones.data.drawings import DRAWN
from scones.data.sample import pictures
from steps import cifar

SIDE = cifar.SIDE
COUNT = 200
SEED = 7
Images = NDArray[np.uint8]


def kinds(found: cifar.Cifar, classes: Sequence[str], folder: Path | None) -> dict[str, Images]:
    """Pictures uint8 (n, 32, 32, 3) by kind; `others` and `folder` only where there are such."""
    generator = np.random.default_rng(SEED)
    coarse = generator.integers(0, 256, (COUNT, 4, 4, 3), dtype=np.uint8)
    flat = generator.integers(0, 256, (COUNT, 1, 1, 3), dtype=np.uint8)
    made = {
        "noise": generator.integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8),
        "blurred noise": np.stack([_resized(Image.fromarray(one)) for one in coarse]),
        "one colour": np.broadcast_to(flat, (COUNT, SIDE, SIDE, 3)).copy(),
    }
    drawn = pictures({name: COUNT // 4 for name in DRAWN if name not in classes}, 0, SEED)
    made["drawn"] = _channels_last(drawn.pixels)
    other = ~np.isin(found.test.labels, cifar.labels_of(classes, found.fine_names))
    if other.any():
        made["others"] = _channels_last(found.test.pixels[other])
    if folder is not None:
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".png", ".jpg", ".jpeg"))
        made["folder"] = np.stack([_resized(Image.open(file).convert("RGB")) for file in files])
    return made


def scrambled(vehicles: Images) -> Images:
    """Each picture cut into sixteen squares, these in another order."""
    generator, part = np.random.default_rng(SEED), SIDE // 4
    parts = vehicles.reshape(-1, 4, part, 4, part, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 16, part, part, 3)
    mixed = np.stack([one[generator.permutation(16)] for one in parts]).reshape(-1, 4, 4, part, part, 3)
    return mixed.transpose(0, 1, 3, 2, 4, 5).reshape(-1, SIDE, SIDE, 3)


def _resized(picture: Image.Image) -> Images:
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _channels_last(planes: NDArray[np.uint8]) -> Images:
    return planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
