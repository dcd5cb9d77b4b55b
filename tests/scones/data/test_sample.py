"""The drawn sample: the same bytes for a seed, a genuine layout, and pictures worth training on."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from project import cifar100
from project.errors import DataError
from scones.data import archive, sample
from scones.data.canvas import Canvas, Dice
from scones.data.drawings import DRAWN

SMALL = {"train_per_class": 4, "test_per_class": 2}
GOLDEN = {
    "python": "94bef9b83c1010e6a5832c59bc58595ec0ccc079d369c4a299833644d2c09c85",
    "binary": "1cbaade20ca3494e7c1267c29efd8a695f31aa71f70b809a642ba9211ac9ad8c",
}


@pytest.mark.parametrize("layout", ["python", "binary"])
def test_the_bytes_are_the_same_on_every_machine(tmp_path: Path, layout: archive.Layout) -> None:
    assert archive.write_sample(tmp_path / "a.tar.gz", layout, **SMALL)["sha256"] == GOLDEN[layout]


def test_another_seed_draws_other_pictures(tmp_path: Path) -> None:
    one = archive.write_sample(tmp_path / "1.tar.gz", "python", **SMALL, seed=1)
    two = archive.write_sample(tmp_path / "2.tar.gz", "python", **SMALL, seed=2)
    assert one["sha256"] != two["sha256"]


def test_the_members_are_those_of_the_original(tmp_path: Path) -> None:
    names = {}
    for layout in ("python", "binary"):
        archive.write_sample(tmp_path / layout, layout, **SMALL)
        with tarfile.open(tmp_path / layout) as tar:
            names[layout] = {member.name for member in tar if member.isfile()}
    assert names["python"] == {f"cifar-100-python/{m}" for m in ("train", "test", "meta")}
    files = ("train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt")
    assert names["binary"] == {f"cifar-100-binary/{m}" for m in files}


def test_no_picture_is_drawn_twice_and_parts_share_none() -> None:
    parts = [sample.pictures({"bicycle": 60, "motorcycle": 60}, part, 7) for part in (0, 1)]
    rows = {row.tobytes() for part in parts for row in part.pixels}
    assert len(rows) == 240


def test_file_names_do_not_tell_the_class() -> None:
    drawn = sample.pictures({"bicycle": 30, "motorcycle": 30}, 0, 7)
    assert {name[:7] for name in drawn.names} == {"bike_s_"}
    assert len(set(drawn.names)) == 60
    assert not np.array_equal(np.sort(drawn.labels), drawn.labels)  # nor does their order


def test_all_classes_of_a_full_archive_have_their_counts(tmp_path: Path) -> None:
    written = archive.write_sample(tmp_path / "a.tar.gz", "binary", train_per_class=2, test_per_class=1, full=True)
    assert (written["images"], len(written["classes"])) == (300, 100)


def test_there_are_100_classes_in_20_superclasses() -> None:
    assert len(cifar100.FINE_NAMES) == len(set(cifar100.FINE_NAMES)) == 100
    assert cifar100.FINE_NAMES.index("bicycle") == 8 and cifar100.FINE_NAMES.index("motorcycle") == 48
    assert {cifar100.COARSE_OF[cifar100.FINE_NAMES.index(n)] for n in ("bicycle", "motorcycle", "bus")} == {18}
    assert sorted(set(cifar100.COARSE_OF)) == list(range(20))


@pytest.mark.parametrize("name", DRAWN)
def test_every_drawing_marks_its_canvas(name: str) -> None:
    blank = np.full((20, 3, 32, 32), 0.5, np.float32)
    canvas = Canvas(blank.copy())
    DRAWN[name](canvas, Dice([1], 20))
    touched = (np.abs(canvas.pictures - blank).max(axis=1) > 0.05).mean(axis=(1, 2))
    assert touched.min() > 0.02 and touched.max() < 0.9


def test_motorcycles_are_heavier_than_bicycles() -> None:
    def ink(name: str) -> float:
        canvas = Canvas(np.ones((200, 3, 32, 32), np.float32))
        DRAWN[name](canvas, Dice([1], 200))
        return float((1 - canvas.pictures).mean())

    assert ink("motorcycle") > 1.5 * ink("bicycle")


@given(st.integers(0, 200_000))
def test_a_stored_gzip_of_any_length_unpacks(size: int) -> None:
    content = np.random.default_rng(size).bytes(size)
    file = io.BytesIO()
    stream = archive.StoredGzip(file)
    stream.write(content[: size // 3])
    stream.write(content[size // 3 :])
    stream.finish()
    assert gzip.decompress(file.getvalue()) == content


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file or directory"):
        archive.write_sample(tmp_path / "nowhere" / "a.tar.gz", "python", **SMALL)
