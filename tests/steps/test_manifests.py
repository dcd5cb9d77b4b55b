"""BuildManifests: the split, what it leaves out, and what its expectations refuse."""

from __future__ import annotations

import json
import shutil
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cifar_archives import REAL, meta, part, tar_gz
from PIL import Image

from project.errors import DataError
from scones.data import archive
from steps import cifar, extract, image_table, lst, manifests

CLASSES = ["bicycle", "motorcycle"]
# Great Expectations imports a module that Python deprecates; nothing of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracted")
    archive.write_sample(folder / "a.tar.gz", "binary", train_per_class=20, test_per_class=6)
    extract.extract(folder / "a.tar.gz", None, CLASSES, folder)
    return folder / "images"


@pytest.fixture
def images(extracted: Path, tmp_path: Path) -> Path:
    """A copy of the extracted images that a test may spoil."""
    return Path(shutil.copytree(extracted, tmp_path / "images"))


def build(images: Path, output: Path, **changes: Any) -> Any:
    return manifests.build(images, changes.pop("classes", CLASSES), 0.25, changes.pop("seed", 7), output)


def broken(images: Path, tmp_path: Path) -> str:
    """The error of a broken expectation; checks that only the checks were handed over."""
    with pytest.raises(DataError, match=r"expectation\(s\) not met") as error:
        build(images, tmp_path / "output")
    assert [p.name for p in (tmp_path / "output").iterdir()] == ["checks"]
    report = json.loads((tmp_path / "output" / "checks" / "validation.json").read_text())
    assert report["success"] is False and all(sentence in str(error.value) for sentence in report["broken"])
    assert (tmp_path / "output" / "checks" / "docs" / "index.html").is_file()
    assert "\n" not in str(error.value)
    return str(error.value)


def edit_table(images: Path, change: Any) -> None:
    table = pd.read_csv(images / "images.csv")
    change(table).to_csv(images / "images.csv", index=False)


def repaint(images: Path, path: str, pixels: np.ndarray) -> None:
    """Replace an image, and what the table says about its pixels."""
    Image.fromarray(pixels).save(images / path)
    found = manifests._measured(images / path)[-1]

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table["path"] == path, "pixels_sha256"] = found
        return table

    edit_table(images, change)


def test_every_subset_has_its_images_its_manifest_and_every_class(images: Path, tmp_path: Path) -> None:
    for name in ("train", "train_lst", "checks"):  # SageMaker makes the folders of the outputs beforehand
        (tmp_path / "output" / name).mkdir(parents=True)

    report = build(images, tmp_path / "output")

    assert report == json.loads((tmp_path / "output" / "report" / "manifests.json").read_text())
    assert report["images"] == {
        "train": {"bicycle": 15, "motorcycle": 15},
        "validation": {"bicycle": 5, "motorcycle": 5},
        "test": {"bicycle": 6, "motorcycle": 6},
    }
    assert (report["num_training_samples"], report["num_classes"], report["left_out_repeats"]) == (30, 2, 0)
    for subset, counts in report["images"].items():
        folder = tmp_path / "output" / subset
        entries = lst.read(tmp_path / "output" / f"{subset}_lst" / f"{subset}.lst", folder, 2)
        assert Counter(CLASSES[entry.label] for entry in entries) == counts
        assert sorted(entry.path for entry in entries) == sorted(p.name for p in folder.iterdir())


def test_the_checks_tell_each_expectation_in_words_and_as_html(images: Path, tmp_path: Path) -> None:
    build(images, tmp_path / "output")
    checks = tmp_path / "output" / "checks"
    report = json.loads((checks / "validation.json").read_text())
    assert report["success"] is True and set(report["tables"]) == {"images", "class_counts"}
    described = [r["expectation_config"]["description"] for t in report["tables"].values() for r in t["results"]]
    assert "no image is in two subsets" in described and len(described) >= 13
    pages = [page.read_text(encoding="utf-8") for page in (checks / "docs" / "validations").rglob("*.html")]
    assert any("every image is RGB" in page for page in pages)


def test_the_checks_need_no_network(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert build(images, tmp_path / "output")["num_training_samples"] == 30


def split_of(images: Path, seed: int) -> pd.Series:
    table = manifests.read_images(images)
    return manifests.assign_subsets(table, 0.25, seed).groupby(table["path"]).first()


def test_the_split_depends_on_the_seed_and_not_on_the_order(extracted: Path, images: Path) -> None:
    first = split_of(extracted, 7)
    assert not first.equals(split_of(extracted, 8))
    edit_table(images, lambda table: table.sample(frac=1, random_state=1))
    assert first.equals(split_of(images, 7))


def table_of(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["part", "label", "pixels_sha256"])
    return table.assign(group=table["pixels_sha256"])


@pytest.mark.parametrize(
    ("rows", "left_out"),
    [
        ([("train", 0, "a"), ("test", 0, "a")], [0]),
        ([("test", 0, "a"), ("train", 1, "a")], [1]),
        ([("train", 0, "a"), ("train", 0, "b"), ("train", 0, "a")], [2]),
        ([("train", 0, "a"), ("train", 1, "a")], [0, 1]),
        ([("test", 0, "a"), ("test", 0, "a")], []),
    ],
    ids=["in both parts", "in both, other label", "twice in train", "twice, labels disagree", "twice in test"],
)
def test_repeats_are_left_out_of_train_and_never_of_test(rows: Any, left_out: list[int]) -> None:
    subsets = manifests.assign_subsets(table_of(rows), 0.25, 7)
    assert [i for i, subset in enumerate(subsets) if subset == "left out"] == left_out


def test_one_repeat_among_many_is_reported_and_not_fatal(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (240, cifar.PIXELS), dtype=np.uint8)
    test = pixels[200:].copy()
    test[0] = pixels[0]
    labels = [8, 48] * 100
    members = (part("train", labels, data=pixels[:200]), part("test", [8, 48] * 20, data=test), meta())
    extract.extract(tar_gz(tmp_path / "a.tar.gz", *members), None, CLASSES, tmp_path)

    report = build(tmp_path / "images", tmp_path / "output")

    assert report["left_out_repeats"] == 1
    assert report["num_training_samples"] == 200 - 1 - 50


def test_an_archive_whose_test_part_is_its_train_part_is_refused(tmp_path: Path) -> None:
    same = [part(name, [8, 48] * 5) for name in ("train", "test")]
    extract.extract(tar_gz(tmp_path / "a.tar.gz", *same, meta()), None, CLASSES, tmp_path)
    assert "at most 1 in 100 images is left out as a repeat" in broken(tmp_path / "images", tmp_path)


def test_repeats_within_the_test_part_are_noticed(images: Path, tmp_path: Path) -> None:
    paths = sorted(p.relative_to(images).as_posix() for p in images.glob("test/*.png"))[:2]
    for path in paths:
        repaint(images, path, np.full((32, 32, 3), 200, np.uint8))
    assert "repeats another of its subset" in broken(images, tmp_path)


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.zeros((32, 31, 3), np.uint8), "every image is 32 pixels wide"),
        (np.zeros((33, 32, 3), np.uint8), "every image is 32 pixels high"),
        (np.zeros((32, 32), np.uint8), "every image is RGB"),
        (np.zeros((32, 32, 4), np.uint8), "every image is RGB"),
    ],
    ids=["31 wide", "33 high", "grey", "transparent"],
)
def test_an_image_of_another_kind_is_named(images: Path, tmp_path: Path, pixels: np.ndarray, says: str) -> None:
    repaint(images, "test/" + sorted((images / "test").iterdir())[0].name, pixels)
    message = broken(images, tmp_path)
    assert says in message and "1 of 52 are not, such as test/test-" in message


def test_an_image_that_is_not_the_extracted_one(images: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(sorted((images / "train").iterdir())[0])
    assert "every file holds the pixels that were extracted" in broken(images, tmp_path)


def test_an_image_in_two_subsets_would_be_noticed(images: Path, tmp_path: Path) -> None:
    from steps import expectations

    table = manifests.read_images(images)
    table["subset"] = table["part"]
    table["subsets_with_these_pixels"] = [2, *[1] * (len(table) - 1)]
    found = expectations.validate(table, manifests.count(table, CLASSES), CLASSES, tmp_path)
    assert any("no image is in two subsets" in sentence for sentence in found)


def test_labels_in_another_order_than_the_classes(images: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="in the order of the classes") as error:
        build(images, tmp_path / "output", classes=CLASSES[::-1])
    assert "expect_column_pair_values_to_be_in_set" in str(error.value)


def test_classes_out_of_balance(images: Path, tmp_path: Path) -> None:
    edit_table(images, lambda t: t[(t["label"] == 0) | (t["split"] == "test") | (t.index % 5 == 0)])
    message = broken(images, tmp_path)
    assert "less than half as frequent" in message and "train motorcycle" in message


def test_a_class_too_small_to_split(images: Path, tmp_path: Path) -> None:
    edit_table(images, lambda t: t.groupby(["split", "label"]).head(1))
    assert "every class has images in every subset" in broken(images, tmp_path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda images: (images / "images.csv").unlink(), "images.csv: missing"),
        (lambda images: (images / "images.csv").write_text("path,label\n"), "no column 'split'"),
        (lambda images: (images / "images.csv").write_text(""), "not the table"),
        (lambda images: (images / "images.csv").write_bytes(b"\xff\xfe\x00"), "not the table"),
        (lambda images: edit_table(images, lambda t: t.assign(label="x")), "not the table"),
        (lambda images: sorted(images.glob("*/*.png"))[0].unlink(), "missing"),
        (lambda images: sorted(images.glob("*/*.png"))[0].write_bytes(b"GIF89a"), "not a readable image"),
        (lambda images: sorted(images.glob("*/*.png"))[0].write_bytes(b""), "not a readable image"),
    ],
)
def test_an_input_that_extract_did_not_write(images: Path, tmp_path: Path, spoil: Any, says: str) -> None:
    spoil(images)
    with pytest.raises(DataError) as error:
        build(images, tmp_path / "output")
    assert says in str(error.value) and not (tmp_path / "output").exists()


@pytest.mark.parametrize("fraction", ["0", "1", "-0.1", "x"])
def test_a_validation_fraction_that_cannot_be(fraction: str, tmp_path: Path) -> None:
    arguments = ["--images", str(tmp_path), "--output", str(tmp_path), "--classes", "a,b"]
    with pytest.raises(SystemExit) as stopped:
        manifests.main([*arguments, "--validation-fraction", fraction])
    assert stopped.value.code == 2


def test_pictures_to_learn_from_get_a_frame_of_their_own_reflection(images: Path, tmp_path: Path) -> None:
    manifests.build(images, CLASSES, 0.25, 7, tmp_path / "output", margin=4)
    for subset in ("train", "validation"):
        files = sorted(path.name for path in (tmp_path / "output" / subset).iterdir())
        assert files == sorted(path.name for path in (tmp_path / "output" / f"{subset}_with_margin").iterdir())
        plain, framed = (
            np.asarray(Image.open(tmp_path / "output" / folder / files[0]))
            for folder in (subset, f"{subset}_with_margin")
        )
        assert framed.shape == (40, 40, 3)
        np.testing.assert_array_equal(framed[4:36, 4:36], plain)
        np.testing.assert_array_equal(framed[3, 4:36], plain[1])
        np.testing.assert_array_equal(framed[4:36, 36], plain[:, 30])
    assert not (tmp_path / "output" / "test_with_margin").exists()


@pytest.mark.parametrize("margin", ["-1", "32", "x"])
def test_a_margin_that_a_reflection_cannot_fill(margin: str, tmp_path: Path) -> None:
    arguments = ["--images", str(tmp_path), "--output", str(tmp_path), "--classes", "a,b"]
    with pytest.raises(SystemExit) as stopped:
        manifests.main([*arguments, "--margin", margin])
    assert stopped.value.code == 2


@pytest.mark.skipif(not REAL.exists(), reason="no real CIFAR-100 images beside the checkout")
def test_real_images_pass(tmp_path: Path) -> None:
    extract.extract(REAL, None, CLASSES, tmp_path)
    report = build(tmp_path / "images", tmp_path / "output")
    assert report["num_training_samples"] == 600 and report["images"]["test"] == {"bicycle": 100, "motorcycle": 100}


def test_ones_own_pictures_are_told_by_name_whatever_they_are_called(tmp_path: Path) -> None:
    image_table.write_left_out(tmp_path, {"NA": "cut off", "null": "empty"})
    images = pd.DataFrame({"path": ["train/own-1.png", "train/0.png"], "source_side": [64, None]})
    found = manifests.read_photographs(tmp_path, images)
    assert found is not None and found["name"].tolist() == ["train/own-1.png", "NA", "null"]
    assert found["left_out"].tolist() == [None, "NA: cut off", "null: empty"]
