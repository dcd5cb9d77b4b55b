"""Drawn photographs: the sample's vehicles as JPEG files of many sizes, some of them stored on their side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from project.cifar100 import FINE_NAMES
from project.errors import DataError, UsageError
from project.files import write_folder
from scones.data.canvas import SIDE
from scones.data.drawings import DRAWN
from scones.data.sample import pictures

SIDES = (200, 401)
"""Shortest and longest side of a photograph, in pixels."""
ORIENTATION = 0x0112
"""EXIF's tag for how to turn the stored picture."""
TURNED = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
"""EXIF orientation, and what was done to the upright picture to store it."""


def write_photographs(folder: Path, classes: Sequence[str], per_class: int, seed: int) -> int:
    """Draw `per_class` photographs of each class below `folder`, in a folder for each; how many in all.

    Raises:
        UsageError: a class that is not drawn.
        DataError: `folder` holds such photographs already.
    """
    for name in classes:
        if name not in DRAWN:
            raise UsageError(f"Class {name!r} cannot be drawn.", f"These can: {', '.join(DRAWN)}.")
    if any((folder / name).exists() for name in classes):
        raise DataError(f"{folder}: holds pictures already.", "Give another folder.")
    drawn = pictures(dict.fromkeys(classes, per_class), 0, seed)
    dice = np.random.Generator(np.random.PCG64([seed, 2]))
    with write_folder(folder) as scratch:
        for number, (plane, label) in enumerate(zip(drawn.pixels, drawn.labels, strict=True)):
            place = scratch / FINE_NAMES[int(label)]
            place.mkdir(exist_ok=True)
            pixels = plane.reshape(3, SIDE, SIDE).transpose(1, 2, 0)
            (place / f"IMG_{number:04d}.jpg").write_bytes(_photograph(pixels, dice))
    return len(drawn.labels)


def _photograph(pixels: np.ndarray, dice: np.random.Generator) -> bytes:
    width, height = (int(side) for side in dice.integers(*SIDES, 2))
    orientation = int(dice.choice(list(TURNED)))
    upright = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    stored = upright if (turn := TURNED[orientation]) is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()
