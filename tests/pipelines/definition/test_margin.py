"""The margin of the built-in algorithm's pictures: one scale in training, validation and serving."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pipelines.definition import margin


@pytest.mark.parametrize("side", [24, 28, 32])
def test_the_middle_of_a_picture_with_its_margin_is_the_picture_as_it_is_served(side: int) -> None:
    smooth = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(smooth).resize((margin.SIDE, margin.SIDE), Image.Resampling.BICUBIC)
    frame = ((margin.MARGIN, margin.MARGIN), (margin.MARGIN, margin.MARGIN), (0, 0))
    framed = Image.fromarray(np.pad(np.asarray(picture), frame, mode="reflect"))

    whole = margin.resized(f"3,{side},{side}")
    offset = (whole - side) // 2
    crop = framed.resize((whole, whole), Image.Resampling.BILINEAR).crop((offset, offset, offset + side, offset + side))
    served = picture.resize((side, side), Image.Resampling.BILINEAR)
    difference = np.abs(np.asarray(crop, float) - np.asarray(served, float)).mean()
    unframed = picture.crop([(margin.SIDE - side) // 2, (margin.SIDE - side) // 2] + [(margin.SIDE + side) // 2] * 2)
    assert difference < 12, "half a pixel apart at most"
    if side < margin.SIDE:
        assert difference < np.abs(np.asarray(unframed, float) - np.asarray(served, float)).mean()
