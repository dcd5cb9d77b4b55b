"""The channel `others`: pictures of classes that the model is not to tell apart, and is better for having seen."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from project.errors import DataError
from steps.train.messages import Examples, Others

HELD_OUT = 5
"""Of so many other classes one is not learned from: its pictures are the strangers that the likeness is judged by."""


def read(folder: Path, side: int, at_most: int) -> Others | None:
    """The first `at_most` pictures of the channel, divided; none where the archive has no other classes.

    Raises:
        DataError: not the one file that the job `extract` writes, or pictures of another size.
    """
    found = sorted(folder.glob("*.npz"))
    if len(found) != 1:
        raise DataError(f"{folder}: {len(found)} .npz files in the channel; exactly one is needed.")
    try:
        with found[0].open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pictures, labels = arrays["pictures"][:at_most], arrays["labels"][:at_most]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{found[0]}: not the file that `extract` writes: {error}.", "Run `extract` again.") from None
    if pictures.shape != (len(labels), side, side, 3) or (pictures.dtype, labels.dtype) != (np.uint8, np.int64):
        raise DataError(f"{found[0]}: {pictures.dtype} {pictures.shape} instead of bytes, {side} pixels wide.")
    if not len(labels):
        print("No pictures of other classes to learn from.", flush=True)
        return None
    divided = divide(Examples(pictures, labels))
    learned, strangers = len(divided.learned.labels), len(divided.strangers.labels)
    print(f"Pictures of other classes: {learned} to learn from, {strangers} to judge by.", flush=True)
    return divided


def divide(others: Examples) -> Others:
    """Strangers are whole classes, each fifth one; of two to four classes the last, of a single one nothing."""
    classes = np.unique(others.labels)
    strange = classes[HELD_OUT - 1 :: HELD_OUT] if len(classes) >= HELD_OUT else classes[1:][-1:]
    held_out = np.isin(others.labels, strange)
    _, labels = np.unique(others.labels[~held_out], return_inverse=True)
    learned = Examples(others.pictures[~held_out], labels.astype(np.int64))
    return Others(learned, Examples(others.pictures[held_out], others.labels[held_out]))
