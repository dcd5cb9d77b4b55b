"""Near-duplicates: what counts as one, and what does not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from project.errors import DataError
from steps import near_duplicates


def scene(seed: int) -> Image.Image:
    """A picture with few low frequencies, as photographs have."""
    rough = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(rough).resize((32, 32), Image.Resampling.BICUBIC)


def recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=60)
    return Image.open(file)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    test, train = tmp_path / "test", tmp_path / "train"
    for folder in (test, train):
        folder.mkdir()
    for seed in range(20):
        scene(seed).save(train / f"train-{seed:02}.png")
    return test, train


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        ImageOps.mirror,
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        recompressed,
        lambda image: ImageOps.grayscale(image).convert("RGB"),
    ],
    ids=["same", "mirrored", "darker", "recompressed", "grey"],
)
def test_a_picture_that_a_person_would_call_the_same_is_found(
    folders: tuple[Path, Path], change: Callable[[Image.Image], Image.Image]
) -> None:
    test, train = folders
    change(scene(3)).save(test / "a.png")
    (pair,) = near_duplicates.find(test, ["a.png"], [train])
    assert (pair.image, pair.training_image) == ("a.png", "train-03.png")
    assert pair.distance <= near_duplicates.THRESHOLD


def test_other_pictures_are_not(folders: tuple[Path, Path]) -> None:
    test, train = folders
    names = [f"{seed}.png" for seed in range(100, 130)]
    for name in names:
        scene(int(name[:3])).save(test / name)
    assert near_duplicates.find(test, names, [train]) == []


def test_distances_count_differing_bits() -> None:
    random = np.random.default_rng(0)
    a, b = random.random((5, 64)) > 0.5, random.random((7, 64)) > 0.5
    expected = [[int((x != y).sum()) for y in b] for x in a]
    assert near_duplicates.distances(a, b).tolist() == expected


def test_a_hash_is_balanced() -> None:
    bits = near_duplicates.hashes(np.random.default_rng(1).random((10, 32, 32)) * 255)
    assert bits.shape == (10, 64)
    assert (bits[:, 1:].sum(axis=1) == 31).all()


def test_no_training_pictures_and_broken_ones_are_errors(folders: tuple[Path, Path], tmp_path: Path) -> None:
    test, train = folders
    scene(1).save(test / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="No PNG pictures"):
        near_duplicates.find(test, ["a.png"], [tmp_path / "empty"])
    (train / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"broken\.png: not a readable image"):
        near_duplicates.find(test, ["a.png"], [train])
