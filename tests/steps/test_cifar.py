"""Reading CIFAR-100 archives in both layouts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from cifar_archives import REAL, meta, part, tar_gz

from project.cifar100 import FINE_NAMES
from project.errors import DataError, UsageError
from scones.data import archive as writer
from steps import cifar

BICYCLE, MOTORCYCLE = 8, 48


@pytest.mark.parametrize("layout", ["python", "binary"])
def test_a_sample_is_read_back_as_it_was_drawn(tmp_path: Path, layout: writer.Layout) -> None:
    written = writer.write_sample(tmp_path / "a.tar.gz", layout, train_per_class=3, test_per_class=2)
    drawn = writer.pictures(dict.fromkeys(written["classes"], 3), 0, 7)

    read = cifar.read(tmp_path / "a.tar.gz", written["sha256"])

    assert (read.layout, read.fine_names) == (layout, FINE_NAMES)
    assert np.array_equal(read.train.pixels.reshape(-1, cifar.PIXELS), drawn.pixels)
    assert np.array_equal(read.train.labels, drawn.labels)
    assert (read.test.count(BICYCLE), read.test.count(MOTORCYCLE), read.test.count(0)) == (2, 2, 2)


def test_the_planes_are_red_green_blue_by_row(tmp_path: Path) -> None:
    pixels = np.zeros((1, cifar.PIXELS), np.uint8)
    pixels[0, [1, 32, 1024, 3071]] = 1, 2, 3, 4
    named = tar_gz(tmp_path / "a.tar.gz", meta(), part("train", [8], data=pixels), part("test", [8]))

    image = cifar.read(named).train.pixels[0]

    assert image.shape == (3, 32, 32)
    assert [image[0, 0, 1], image[0, 1, 0], image[1, 0, 0], image[2, 31, 31]] == [1, 2, 3, 4]


def test_text_keys_and_labels_in_arrays_are_read_too(tmp_path: Path) -> None:
    content = {"data": np.zeros((2, cifar.PIXELS), np.uint8), "fine_labels": np.array([8, 48])}
    train = pickle.dumps(content, protocol=4)
    named = tar_gz(tmp_path / "a.tar.gz", ("cifar-100-python/train", train), part("test", [8]), meta())

    assert cifar.read(named).train.labels.tolist() == [8, 48]


def test_members_that_are_not_needed_are_passed_over(tmp_path: Path) -> None:
    extra = ("cifar-100-python/file.txt~", b"left over in the original")
    named = tar_gz(tmp_path / "a.tar.gz", extra, part("train", [8]), part("test", [8]), meta())

    assert cifar.read(named).train.count(BICYCLE) == 1


@pytest.mark.parametrize(
    ("name", "hint"), [("bycicle", "Did you mean 'bicycle'?"), ("Motorcycle", "'motorcycle'"), ("zzzz", "apple")]
)
def test_an_unknown_class_gets_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="No class") as error:
        cifar.labels_of(["bicycle", name], FINE_NAMES)
    assert hint in str(error.value)


def test_labels_follow_the_order_of_the_classes() -> None:
    assert cifar.labels_of(["motorcycle", "bicycle", "worm"], FINE_NAMES) == [MOTORCYCLE, BICYCLE, 99]


@pytest.mark.parametrize("classes", [["bicycle"], ["bicycle", "bicycle"]])
def test_fewer_than_two_different_classes_are_refused(classes: list[str]) -> None:
    with pytest.raises(UsageError):
        cifar.labels_of(classes, FINE_NAMES)


def test_the_one_archive_of_a_folder_is_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds 0 \.tar\.gz"):
        cifar.find(tmp_path)
    one = tar_gz(tmp_path / "one.tar.gz")
    assert cifar.find(tmp_path) == cifar.find(one) == one
    tar_gz(tmp_path / "two.tar.gz")
    with pytest.raises(DataError, match=r"holds 2 \.tar\.gz"):
        cifar.find(tmp_path)


@pytest.mark.skipif(not REAL.exists(), reason="no real CIFAR-100 images beside the checkout")
def test_real_images_are_read() -> None:
    real = cifar.read(REAL)

    assert (real.layout, real.fine_names) == ("python", FINE_NAMES)
    assert real.train.pixels.shape == (800, 3, 32, 32) and real.train.count(BICYCLE) == 400
    assert real.test.pixels.shape == (200, 3, 32, 32) and real.test.count(MOTORCYCLE) == 100
