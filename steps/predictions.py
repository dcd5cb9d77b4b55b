"""Reading what batch transform wrote: one `<image>.out` per image, a JSON list of probabilities in class order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monitoring.measures.metrics import Floats
from project import json_text
from project.errors import DataError

SUFFIX = ".out"
SUM_TOLERANCE = 1e-3
"""How far from 1 the probabilities of an image may add up to: servers round and work in 32 bits."""


def read(folder: Path, images: Sequence[str], classes: int) -> Floats:
    """The probabilities of `images` (file names), float (n, classes), in that order.

    Predictions are found by file name, since the service may put them in sub-folders.

    Raises:
        DataError: an image has no prediction, or two; a prediction belongs to no image; or one is not a list of
            `classes` probabilities that add up to 1.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob(f"*{SUFFIX}")):
        if file.name in found:
            raise DataError(f"{folder}: two predictions named {file.name}.", "Give each transform job its own output.")
        found[file.name] = file
    missing = [name for name in images if Path(name).name + SUFFIX not in found]
    if missing:
        raise DataError(
            f"{folder}: no prediction for {len(missing)} of {len(images)} images, such as {missing[0]}.",
            "See the transform job's log for the images that it could not score.",
        )
    wanted = [found.pop(Path(name).name + SUFFIX) for name in images]
    if found:
        raise DataError(
            f"{folder}: {len(found)} predictions belong to no image of the manifest, such as {min(found)}.",
            "Score exactly the images in test.lst.",
        )
    return np.array([_probabilities(file, classes) for file in wanted], np.float64)


def _probabilities(file: Path, classes: int) -> list[float]:
    try:
        values = json_text.parsed(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{file}: not JSON: {error}.", "The model must answer with application/json.") from None
    if not isinstance(values, list) or not all(type(v) in (int, float) for v in values):
        raise DataError(f"{file}: not a list of numbers.", "The model must answer with a JSON list of probabilities.")
    if len(values) != classes:
        raise DataError(f"{file}: {len(values)} probabilities for {classes} classes.", "Was it trained on these?")
    if min(values) < 0 or max(values) > 1 or abs(sum(values) - 1) > SUM_TOLERANCE:
        raise DataError(f"{file}: {values!s:.80} are not probabilities.", "Each is from 0 to 1, and they add up to 1.")
    return [float(v) for v in values]
