"""Features of answers and pictures: known values, every kind of picture, and what has none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from monitoring.analysis.features import MEASURED, MISSING, PRESENT, UNUSABLE, answer_features, picture_features

CLASSES = ("bicycle", "motorcycle")


def encoded(image: Image.Image, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def test_features_of_answers_have_their_known_values() -> None:
    found = answer_features([[0.9, 0.1], [0.5, 0.5], [0.0, 1.0], None], CLASSES, 0.93)
    assert found["confidence"].tolist()[:3] == [0.9, 0.5, 1.0]
    assert found["margin"].tolist()[:3] == [0.8, 0.0, 1.0]
    assert found["entropy"].tolist()[:3] == [pytest.approx(0.468996), 1.0, 0.0]
    assert found["low_confidence"].tolist()[:3] == [1.0, 1.0, 0.0]
    assert found["predicted_class"].tolist() == ["bicycle", "bicycle", "motorcycle", None]
    assert all(np.isnan(found[name][3]) for name in ("confidence", "margin", "entropy", "low_confidence"))


def test_classes_that_nobody_named_are_named_by_number() -> None:
    found = answer_features([[0.1, 0.2, 0.7], [0.4, 0.6]], (), 0.93)
    assert found["predicted_class"].tolist() == ["2", "1"]
    assert answer_features([[0.1, 0.2, 0.7]], CLASSES, 0.93)["predicted_class"].tolist() == ["2"]


def test_confidence_exactly_at_the_threshold_is_not_low() -> None:
    assert answer_features([[0.93, 0.07]], CLASSES, 0.93)["low_confidence"].tolist() == [0.0]


def test_features_of_pictures_have_their_known_values() -> None:
    half = np.zeros((10, 20, 3), np.uint8)
    half[:, 10:] = 255
    red = np.zeros((6, 6, 3), np.uint8)
    red[..., 0] = 255
    found, states = picture_features([encoded(Image.fromarray(half)), encoded(Image.fromarray(red))])
    assert states.tolist() == [PRESENT, PRESENT]
    assert (found["width"][0], found["height"][0], found["mode"][0]) == (20, 10, "RGB")
    assert found["brightness"].tolist() == [0.5, 0.299]
    assert found["contrast"].tolist() == [0.5, 0.0]
    assert found["sharpness"].tolist() == [pytest.approx(2 / 18, abs=1e-6), 0.0]  # two columns of 18 next to the edge
    assert found["saturation"].tolist() == [0.0, 1.0]
    assert [found[f"{c}_mean"][1] for c in ("red", "green", "blue")] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (32, 1), (31, 33), (700, 500)])
def test_every_kind_and_size_of_picture_has_finite_features(mode: str, size: tuple[int, int]) -> None:
    image = Image.new(mode, size)
    found, states = picture_features([encoded(image, "JPEG" if mode == "CMYK" else "PNG")])
    assert states.tolist() == [PRESENT]
    assert all(np.isfinite(found[name]).all() for name in MEASURED)
    assert (found["width"][0], found["height"][0]) == size


def test_a_batch_gives_each_picture_what_it_gets_alone() -> None:
    rng = np.random.default_rng(0)
    shapes = [(8, 8), (12, 9), (8, 8), (300, 300), (8, 8)]
    files = [encoded(Image.fromarray(rng.integers(0, 256, (*shape, 3), np.uint8))) for shape in shapes]
    together, _ = picture_features(files)
    for row, file in enumerate(files):
        alone, _ = picture_features([file])
        for name in MEASURED:
            assert together[name][row] == pytest.approx(alone[name][0], abs=2e-6)


def test_a_picture_that_cannot_be_used_is_told_from_one_that_is_missing() -> None:
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)))
    refused: dict[int, str] = {}
    files = [whole, None, b"", b"GIF89a", whole[: len(whole) // 2], b"<html>", encoded(Image.new("L", (8000, 7000)))]
    found, states = picture_features(files, refused.__setitem__)
    assert states.tolist() == [PRESENT, MISSING, *[UNUSABLE] * 5]
    assert sorted(refused) == [2, 3, 4, 5, 6]
    assert refused[2] == "no bytes" and "not a PNG, JPEG or WebP" in refused[3] and "8000x7000" in refused[6]
    assert np.isnan(found["brightness"][1:]).all()
