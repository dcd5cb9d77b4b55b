"""What is measured of every record: features of the answer, and features of the picture.

One code for the baseline and for traffic. Values are rounded to 6 decimals, so that a baseline that went through a JSON
file compares equal to the same pictures seen again.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from monitoring.analysis.picture_guard import refuse_costly, refuse_crumbs

Floats = NDArray[np.float64]
Kind = Literal["Fractional", "Integral", "String"]
Part = Literal["answer", "likeness", "picture"]

PRESENT, MISSING, UNUSABLE = 0, 1, 2
"""State of a part of a record: fine, not captured or not said, captured but not what it should be."""

FORMATS = ("PNG", "JPEG", "WEBP")
LARGEST_SIDE = 256
"""Larger pictures are averaged down by a whole factor before they are measured: bounded memory and time."""
DECIMALS = 6


@dataclass(frozen=True)
class Feature:
    """A column. `meaning` is one line for people; numbers of kind Integral are whole."""

    name: str
    kind: Kind
    part: Part
    meaning: str


FEATURES = (
    Feature("confidence", "Fractional", "answer", "probability of the predicted class"),
    Feature("margin", "Fractional", "answer", "how far the second class is behind, in probability"),
    Feature("entropy", "Fractional", "answer", "bits of uncertainty in the probabilities"),
    Feature("predicted_class", "String", "answer", "the class with the highest probability"),
    Feature("low_confidence", "Integral", "answer", "1 if the confidence is below the threshold, else 0"),
    Feature("unfamiliarity", "Fractional", "likeness", "share of known pictures that are more like the training ones"),
    Feature("unfamiliar", "Integral", "likeness", "1 if the unfamiliarity is above its limit, else 0"),
    Feature("width", "Integral", "picture", "pixels"),
    Feature("height", "Integral", "picture", "pixels"),
    Feature("bytes", "Integral", "picture", "size of the file"),
    Feature("mode", "String", "picture", "how the file keeps its pixels: RGB, L (grey), RGBA, ..."),
    Feature("brightness", "Fractional", "picture", "mean luma, 0 black to 1 white"),
    Feature("contrast", "Fractional", "picture", "standard deviation of the luma"),
    Feature("sharpness", "Fractional", "picture", "mean absolute Laplacian of the luma: edges and noise"),
    Feature("saturation", "Fractional", "picture", "mean HSV saturation, 0 is grey"),
    Feature("red_mean", "Fractional", "picture", "mean of the red channel, 0 to 1"),
    Feature("green_mean", "Fractional", "picture", "mean of the green channel, 0 to 1"),
    Feature("blue_mean", "Fractional", "picture", "mean of the blue channel, 0 to 1"),
)
BY_NAME = {feature.name: feature for feature in FEATURES}
MEASURED = tuple(f.name for f in FEATURES if f.part == "picture" and f.kind == "Fractional")


@dataclass(frozen=True)
class Limits:
    """What a picture must meet to be routed: at least this confidence, at most this unfamiliarity."""

    confidence: float = 0.93
    unfamiliarity: float = 0.95


USUAL = Limits()


@dataclass(frozen=True)
class Columns:
    """Features of n records.

    Attributes:
        values: name to float (n,) with NaN where there is no value, or to objects (n,), str or None, for kind String.
        states: state of the answer, of what it says of likeness, and of the picture, uint8 (n,) each.
    """

    values: dict[str, NDArray[Any]]
    states: dict[Part, NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.states["answer"])

    def take(self, rows: NDArray[Any]) -> Columns:
        """Some of the records, chosen by index or mask."""
        return Columns(
            {name: column[rows] for name, column in self.values.items()},
            {part: state[rows] for part, state in self.states.items()},
        )


def answer_features(
    answers: Sequence[Sequence[float] | None], classes: Sequence[str], threshold: float
) -> dict[str, NDArray[Any]]:
    """Features of probabilities in class order; a class beyond `classes` is named by its number.

    `threshold`: the confidence below which a picture is not routed.
    """
    n = len(answers)
    found = {f.name: np.full(n, np.nan) for f in FEATURES if f.part == "answer" and f.kind != "String"}
    names = np.full(n, None, object)
    by_length: dict[int, list[int]] = {}
    for row, answer in enumerate(answers):
        if answer is not None:
            by_length.setdefault(len(answer), []).append(row)
    for length, rows in by_length.items():
        probabilities = np.array([answers[row] for row in rows], np.float64)
        ordered = np.sort(probabilities, axis=1)
        second = ordered[:, -2] if length > 1 else 0.0
        safe = np.where(probabilities > 0, probabilities, 1.0)
        found["confidence"][rows] = ordered[:, -1]
        found["margin"][rows] = ordered[:, -1] - second
        found["entropy"][rows] = np.abs((probabilities * np.log2(safe)).sum(axis=1))
        found["low_confidence"][rows] = ordered[:, -1] < threshold
        known = np.array([*classes[:length], *(str(c) for c in range(len(classes), length))], object)
        names[rows] = known[probabilities.argmax(axis=1)]
    rounded: dict[str, NDArray[Any]] = {name: np.round(column, DECIMALS) for name, column in found.items()}
    return {**rounded, "predicted_class": names}


def likeness_features(unfamiliarity: Floats, limit: float) -> tuple[dict[str, NDArray[Any]], NDArray[np.uint8]]:
    """Features of unfamiliarity float (n,), NaN where the model did not say it, and the state of each.

    `limit`: the unfamiliarity above which a picture is not routed.
    """
    said = np.isfinite(unfamiliarity)
    above = np.where(said, unfamiliarity > limit, np.nan)
    values = {"unfamiliarity": np.round(unfamiliarity, DECIMALS), "unfamiliar": above}
    return values, np.where(said, PRESENT, MISSING).astype(np.uint8)


def picture_features(
    pictures: Sequence[bytes | None], refused: Callable[[int, str], None] | None = None
) -> tuple[dict[str, NDArray[Any]], NDArray[np.uint8]]:
    """Features of pictures (files in memory), and the state of each; `refused(row, reason)` hears of unusable ones."""
    n = len(pictures)
    found = {f.name: np.full(n, np.nan) for f in FEATURES if f.part == "picture" and f.kind != "String"}
    modes = np.full(n, None, object)
    states = np.full(n, PRESENT, np.uint8)
    stacks: dict[tuple[int, ...], tuple[list[int], list[NDArray[np.uint8]]]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own say nothing that is not decided here
        for row, data in enumerate(pictures):
            if data is None:
                states[row] = MISSING
                continue
            try:
                width, height, modes[row], pixels = _decoded(data)
            except Exception as error:  # decoders raise anything on damaged bytes; it costs one record its features
                states[row] = UNUSABLE
                if refused:
                    refused(row, str(error).partition("\n")[0] or type(error).__name__)
                continue
            found["width"][row], found["height"][row], found["bytes"][row] = width, height, len(data)
            rows, stack = stacks.setdefault(pixels.shape, ([], []))
            rows.append(row)
            stack.append(pixels)
    for shape, (rows, stack) in stacks.items():
        step = max(1, 2**18 // (shape[0] * shape[1]))  # what stays in the processor's cache, and in bounds
        for first in range(0, len(rows), step):
            measured = _measured(np.stack(stack[first : first + step]))
            for name, column in measured.items():
                found[name][rows[first : first + step]] = np.round(column, DECIMALS)
    return {**found, "mode": modes}, states


def _decoded(data: bytes) -> tuple[int, int, str, NDArray[np.uint8]]:
    """Width, height and mode of the file, and its pixels uint8 (h, w, 3), averaged down if it is large."""
    if not data:
        raise ValueError("no bytes")
    refuse_crumbs(data)
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"not a PNG, JPEG or WebP picture: begins with {data[:8]!r}") from None
    width, height = picture.size
    refuse_costly(picture)
    mode = picture.mode
    factor = max(width, height) // LARGEST_SIDE
    pixels = picture if mode == "RGB" else picture.convert("RGB")
    if factor > 1:
        pixels = pixels.reduce(factor)
    return width, height, mode, np.asarray(pixels)


def _measured(stack: NDArray[np.uint8]) -> dict[str, Floats]:
    """The features that need pixels, of pictures uint8 (n, h, w, 3) of one size; each float (n,).

    Luma weights: ITU-R BT.601. Saturation: (max - min) / max of the channels, 0 for black, as in HSV.
    """
    red, green, blue = np.ascontiguousarray(stack.transpose(3, 0, 1, 2)).astype(np.float32) / np.float32(255)
    luma = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    centre = luma[:, 1:-1, 1:-1]
    around = luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1] + luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:]
    edges = np.abs(4 * centre - around)
    pixels = (1, 2)
    return {
        "brightness": luma.mean(axis=pixels, dtype=np.float64),
        "contrast": luma.std(axis=pixels, dtype=np.float64),
        "sharpness": edges.mean(axis=pixels, dtype=np.float64) if edges.size else np.zeros(len(stack)),
        "saturation": ((high - low) / np.maximum(high, np.float32(1e-6))).mean(axis=pixels, dtype=np.float64),
        "red_mean": red.mean(axis=pixels, dtype=np.float64),
        "green_mean": green.mean(axis=pixels, dtype=np.float64),
        "blue_mean": blue.mean(axis=pixels, dtype=np.float64),
    }
