"""ExtractCifar with pictures of the archive's other classes: of the train part only, balanced, bounded, one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cifar_archives import meta, part, tar_gz

from project.files import sha256_of
from scones.data import archive
from steps import cifar, extract, other_classes, picture_list

CLASSES = ["bicycle", "motorcycle"]
BICYCLE, MOTORCYCLE, APPLE, BUS = 8, 48, 0, 13


def written(source: Path, folder: Path, side: int = 32, at_most: int = 1000) -> tuple[dict[str, int], np.ndarray, list]:
    """What is said of the file, and what is in it."""
    said = other_classes.write(folder, source, CLASSES, side, at_most)
    with np.load(folder / other_classes.FILE) as arrays:
        return said, arrays["pictures"], arrays["labels"].tolist()


def test_they_are_the_train_parts_pictures_of_the_classes_that_are_not_asked_for(tmp_path: Path) -> None:
    archive.write_sample(tmp_path / "a.tar.gz", "python", train_per_class=6, test_per_class=3)
    said, pictures, labels = written(tmp_path / "a.tar.gz", tmp_path / "others")
    assert said == dict.fromkeys(["apple", "bus", "pickup_truck", "train"], 6)
    assert sorted(labels) == sorted([0, 1, 2, 3] * 6)
    source = cifar.read(tmp_path / "a.tar.gz")
    train = {each.transpose(1, 2, 0).tobytes(): label for each, label in zip(*vars(source.train).values(), strict=True)}
    names = [source.fine_names[train[picture.tobytes()]] for picture in pictures]
    assert names == [sorted(said)[label] for label in labels], "in the order of the archive's labels"


@pytest.mark.parametrize("at_most", [3, 8, 10])
def test_a_bound_keeps_the_classes_balanced_and_so_does_any_first_part(tmp_path: Path, at_most: int) -> None:
    archive.write_sample(tmp_path / "a.tar.gz", "binary", train_per_class=6, test_per_class=3)
    said, pictures, labels = written(tmp_path / "a.tar.gz", tmp_path / "others", at_most=at_most)
    assert len(pictures) == sum(said.values()) == at_most
    assert max(said.values()) - min(said.values()) <= 1
    first = np.bincount(labels[: at_most // 2])
    assert first.max() <= 1 + at_most // 8


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    archive.write_sample(tmp_path / "a.tar.gz", "python", train_per_class=4, test_per_class=2)
    for name in ("one", "two"):
        written(tmp_path / "a.tar.gz", tmp_path / name)
    assert sha256_of(tmp_path / "one" / "others.npz") == sha256_of(tmp_path / "two" / "others.npz")


def test_what_repeats_a_test_picture_a_vehicle_or_another_one_is_left_out(tmp_path: Path) -> None:
    one = {name: np.full((1, cifar.PIXELS), n, np.uint8) for n, name in enumerate(["vehicle", "tested", "new"])}
    train = np.concatenate([one["vehicle"], one["vehicle"], one["tested"], one["new"], one["new"]])
    labels = [BICYCLE, APPLE, APPLE, APPLE, BUS]
    file = tar_gz(
        tmp_path / "a.tar.gz", meta(), part("train", labels, data=train), part("test", [BUS], data=one["tested"])
    )
    _, pictures, _ = written(file, tmp_path / "others")
    assert [int(picture[0, 0, 0]) for picture in pictures] == [2]


def test_they_are_as_large_as_the_models_pictures(tmp_path: Path) -> None:
    archive.write_sample(tmp_path / "a.tar.gz", "python", train_per_class=2, test_per_class=1)
    _, pictures, _ = written(tmp_path / "a.tar.gz", tmp_path / "others", side=64)
    assert pictures.shape == (8, 64, 64, 3)


@pytest.mark.parametrize("mixed", [False, True])
def test_pictures_of_ones_own_have_others_only_beside_an_archive(tmp_path: Path, mixed: bool) -> None:
    (tmp_path / picture_list.FILE).write_text("{}")
    if mixed:
        archive.write_sample(tmp_path / picture_list.ARCHIVE, "python", train_per_class=2, test_per_class=1)
    _, pictures, labels = written(tmp_path, tmp_path / "others")
    assert (pictures.shape, len(labels)) == (((8 if mixed else 0), 32, 32, 3), len(pictures))


def test_an_archive_without_other_classes_gives_an_empty_file(tmp_path: Path) -> None:
    labels = [BICYCLE, MOTORCYCLE]
    file = tar_gz(tmp_path / "a.tar.gz", meta(), part("train", labels), part("test", labels))
    said, pictures, _ = written(file, tmp_path / "others")
    assert (said, len(pictures)) == ({}, 0)


@pytest.mark.parametrize("others", [0, 5])
def test_the_job_writes_them_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str], others: int) -> None:
    archive.write_sample(tmp_path / "a.tar.gz", "python", train_per_class=3, test_per_class=2)
    options = ["--archive", str(tmp_path / "a.tar.gz"), "--classes", ",".join(CLASSES), "--others", str(others)]
    assert extract.main([*options, "--output", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report" / "extract.json").read_text())
    assert (tmp_path / "out" / "others" / "others.npz").is_file() == ("others" in report) == (others > 0)
    assert ("Others, only to learn from: 5 of 4 other classes" in capsys.readouterr().out) == (others > 0)
    assert report["images"]["train"] == dict.fromkeys(CLASSES, 3)
