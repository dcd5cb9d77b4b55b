"""What the built-in algorithm is told: one scale in training, validation and serving, and when its rate drops."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipelines.definition.builtin_algorithm import MARGIN, SIDE, image_shape, learning_rate_steps, margin, resized
from project.settings import parse


@pytest.mark.parametrize("side", [24, 28, 32])
def test_the_middle_of_a_picture_with_its_margin_is_the_picture_as_it_is_served(side: int) -> None:
    smooth = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(smooth).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    frame = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
    framed = Image.fromarray(np.pad(np.asarray(picture), frame, mode="reflect"))

    whole = resized(f"3,{side},{side}")
    offset = (whole - side) // 2
    crop = framed.resize((whole, whole), Image.Resampling.BILINEAR).crop((offset, offset, offset + side, offset + side))
    served = picture.resize((side, side), Image.Resampling.BILINEAR)
    difference = np.abs(np.asarray(crop, float) - np.asarray(served, float)).mean()
    unframed = picture.crop([(SIDE - side) // 2] * 2 + [(SIDE + side) // 2] * 2)
    assert difference < 12, "half a pixel apart at most"
    if side < SIDE:
        assert difference < np.abs(np.asarray(unframed, float) - np.asarray(served, float)).mean()


@pytest.mark.parametrize(("epochs", "steps"), [(30, "15,22"), (100, "50,75"), (4, "2,3"), (2, "1"), (1, "1")])
def test_the_learning_rate_drops_at_half_and_three_quarters(epochs: int, steps: str) -> None:
    assert learning_rate_steps(epochs) == steps


@pytest.mark.parametrize(
    ("values", "shape", "pixels"),
    [
        ({}, "3,28,28", 4),
        ({"image_size": 64}, "3,56,56", 8),
        ({"image_size": 96}, "3,84,84", 12),
        ({"image_size": 64, "builtin": {"image_shape": "3,28,28"}}, "3,28,28", 8),
    ],
)
def test_larger_pictures_have_larger_crops_and_margins(values: dict[str, object], shape: str, pixels: int) -> None:
    settings = parse(values, "scones.toml")
    assert (image_shape(settings), margin(settings.image_size)) == (shape, pixels)
