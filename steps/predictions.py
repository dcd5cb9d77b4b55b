"""Reading what batch transform wrote: one `<image>.out` per image, `{"prediction": [0.9, 0.1], "unfamiliarity": 0.1}`.

`prediction` holds probabilities in class order; a model that does not say how unfamiliar a picture is has no second
key. A bare list of probabilities, which is an answer as application/json, is read as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.measures.metrics import Floats
from project import json_text
from project.errors import DataError

SUFFIX = ".out"
SUM_TOLERANCE = 1e-3
"""How far from 1 the probabilities of an image may add up to: servers round and work in 32 bits."""


@dataclass(frozen=True)
class Predictions:
    """What the model said of n pictures: probabilities float (n, k), unfamiliarity float (n,), NaN if not said."""

    probabilities: Floats
    unfamiliarity: Floats

    def take(self, rows: slice) -> Predictions:
        """Those of some of the pictures."""
        return Predictions(self.probabilities[rows], self.unfamiliarity[rows])


def read(folder: Path, images: Sequence[str], classes: int) -> Predictions:
    """The predictions of `images` (file names), in that order.

    Predictions are found by file name, since the service may put them in sub-folders.

    Raises:
        DataError: an image has no prediction, or two; a prediction belongs to no image; or one has not
            `classes` probabilities that add up to 1, or an unfamiliarity that is no fraction.
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
    said = [_prediction(file, classes) for file in wanted]
    return Predictions(
        np.array([values for values, _ in said], np.float64), np.array([strange for _, strange in said], np.float64)
    )


def _prediction(file: Path, classes: int) -> tuple[list[float], float]:
    try:
        said = json_text.parsed(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{file}: not JSON: {error}.", "The model must answer with application/jsonlines.") from None
    if not isinstance(said, dict):
        return _probabilities(said, file, classes), math.nan
    strange = said.get("unfamiliarity", math.nan)
    if type(strange) not in (int, float) or strange < 0 or strange > 1:
        raise DataError(f"{file}: its unfamiliarity is {strange!r:.40}.", "It is a number from 0 to 1.")
    return _probabilities(said.get("prediction"), file, classes), float(strange)


def _probabilities(values: Any, file: Path, classes: int) -> list[float]:
    if not isinstance(values, list) or not all(type(v) in (int, float) for v in values):
        raise DataError(f"{file}: not a list of numbers.", "The model must answer with a JSON list of probabilities.")
    if len(values) != classes:
        raise DataError(f"{file}: {len(values)} probabilities for {classes} classes.", "Was it trained on these?")
    if min(values) < 0 or max(values) > 1 or abs(sum(values) - 1) > SUM_TOLERANCE:
        raise DataError(f"{file}: {values!s:.80} are not probabilities.", "Each is from 0 to 1, and they add up to 1.")
    return [float(v) for v in values]
