"""Reviewed deliveries in ExtractCifar and BuildManifests: learned from or held out, never both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from project.cifar100 import FINE_NAMES
from project.errors import DataError
from scones.data import archive, sample
from steps import cifar, extract, live_test, manifests, png, reviewed_list
from steps.picture_list import FOLDER
from steps.reviewed_list import Answer, Reviewed, Vote
from steps.reviewed_pictures import HELD_OUT, held_out_by_content

CLASSES = ["bicycle", "motorcycle"]
# Great Expectations imports a module that Python deprecates; nothing of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")
Pixels = NDArray[np.uint8]


def drawn(n: int, seed: int) -> list[tuple[str, Pixels]]:
    made = sample.pictures(dict.fromkeys(CLASSES, n // 2), 1, seed)
    pixels = made.pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return [(FINE_NAMES[label], np.ascontiguousarray(one)) for label, one in zip(made.labels, pixels, strict=True)]


def reviewed(content: bytes, label: str | None, number: int = 0, version: int | None = 1) -> Reviewed:
    at = f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00"
    answer = Answer(at, f"e{number}", version, (0.9, 0.1))
    return Reviewed(hashlib.sha256(content).hexdigest(), label, 1.0, (Vote(at, "Ann", label),), (answer,))


def put(folder: Path, pictures: Sequence[tuple[str | None, bytes]], classes: Sequence[str] = CLASSES) -> Path:
    """A set as it is published; its folder."""
    listed = {
        (one := reviewed(content, label, number)).sha256: (one, content)
        for number, (label, content) in enumerate(pictures)
    }
    text = reviewed_list.encoded(classes, [one for one, _ in listed.values()])
    place = folder / reviewed_list.digest(text)
    (place / FOLDER).mkdir(parents=True)
    (place / reviewed_list.FILE).write_bytes(text)
    for sha256, (_, content) in listed.items():
        (place / FOLDER / sha256).write_bytes(content)
    return place


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "sample.tar.gz"
    archive.write_sample(file, "python", 40, 20)
    return file


def extracted(source: Path, place: Path, output: Path) -> tuple[pd.DataFrame, list[dict[str, Any]], dict[str, Any]]:
    """images.csv, the live test set's list and the report's member `reviewed`."""
    report = extract.extract(source, None, CLASSES, output, reviewed=(place, f"s3://b/reviewed/{place.name}/"))
    table = pd.read_csv(output / "images" / "images.csv")
    return table, live_test.read(output / "images" / live_test.FOLDER), report["reviewed"]


def names(table: pd.DataFrame) -> set[str]:
    return {Path(path).name for path in table["path"] if "reviewed-" in path}


def test_a_share_by_content_is_held_out_and_stays_so_as_the_set_grows(source: Path, tmp_path: Path) -> None:
    pictures = [(label, png.encode(pixels)) for label, pixels in drawn(120, 5)]
    few, tested_few, _ = extracted(source, put(tmp_path / "few", pictures[:60]), tmp_path / "one")
    all_, tested, report = extracted(source, put(tmp_path / "all", pictures), tmp_path / "two")
    assert not names(all_) & {one["file"] for one in tested}
    moved = names(few) & {one["file"] for one in tested} | {one["file"] for one in tested_few} & names(all_)
    assert not moved
    share = len(tested) / (len(tested) + len(names(all_)))
    assert abs(share - HELD_OUT) < 0.15
    assert sum(report["learned"].values()) == len(names(all_))
    assert set(all_.loc[all_["path"].str.contains("reviewed-"), "split"]) == {"train"}


def test_what_repeats_a_picture_of_one_part_never_gets_into_the_other(source: Path, tmp_path: Path) -> None:
    content = cifar.read(source)
    wanted = cifar.labels_of(CLASSES, content.fine_names)
    pictures = []
    for part in (content.train, content.test):
        for label, name in zip(wanted, CLASSES, strict=True):
            for pixels in part.pixels[part.labels == label][:10]:
                darker = np.rint(np.ascontiguousarray(pixels.transpose(1, 2, 0)) * 0.7).astype(np.uint8)
                pictures.append((name, png.encode(darker)))
    table, tested, _ = extracted(source, put(tmp_path, pictures), tmp_path / "out")
    files = [f"reviewed-{hashlib.sha256(picture).hexdigest()[:24]}.png" for _, picture in pictures]
    of_train, of_test = set(files[:20]), set(files[20:])
    assert names(table) and not names(table) & of_test
    assert tested and not {one["file"] for one in tested} & of_train


def test_neither_trains_nothing_and_is_listed_without_a_label(source: Path, tmp_path: Path) -> None:
    pictures: list[tuple[str | None, bytes]] = [(None, png.encode(pixels)) for _, pixels in drawn(6, 9)]
    table, tested, report = extracted(source, put(tmp_path, pictures), tmp_path / "out")
    assert not names(table)
    assert [one["label"] for one in tested] == [None] * 6
    assert (report["neither"], report["learned"]) == (6, {"bicycle": 0, "motorcycle": 0})


def test_the_same_pixels_under_two_labels_are_left_out_and_named(source: Path, tmp_path: Path) -> None:
    picture = drawn(2, 11)[0][1]
    twice = [("bicycle", png.encode(picture)), ("motorcycle", png.encode(picture) + b"\0")]
    table, tested, report = extracted(source, put(tmp_path, twice), tmp_path / "out")
    assert not names(table) and not tested
    assert set(report["left_out"].values()) == {"the same pixels are labelled bicycle and motorcycle"}


def test_the_empty_set_changes_nothing(source: Path, tmp_path: Path) -> None:
    table, tested, _ = extracted(source, put(tmp_path, []), tmp_path / "out")
    plain = extract.extract(source, None, CLASSES, tmp_path / "plain")
    assert len(table) == sum(sum(counts.values()) for counts in plain["images"].values())
    assert tested == []


def test_the_live_test_set_lies_among_the_tests_pictures_and_in_no_lst(source: Path, tmp_path: Path) -> None:
    pictures = [(label, png.encode(pixels)) for label, pixels in drawn(60, 5)]
    _, tested, _ = extracted(source, put(tmp_path, pictures), tmp_path / "out")
    manifests.build(tmp_path / "out" / "images", CLASSES, 0.2, 7, tmp_path / "data")
    data = tmp_path / "data"
    assert live_test.read(data / "test_lst") == tested
    listed = (data / "test_lst" / "test.lst").read_text(encoding="utf-8")
    for one in tested:
        assert (data / "test" / one["file"]).is_file() and one["file"] not in listed
        assert not (data / "train" / one["file"]).exists()
    assert "reviewed-" in (data / "train_lst" / "train.lst").read_text(encoding="utf-8")


def test_some_of_all_hashes_are_held_out() -> None:
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]
    assert abs(sum(map(held_out_by_content, hashes)) / 2000 - HELD_OUT) < 0.03


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda place: (place / "reviewed.json").unlink(), "there is no reviewed.json"),
        (lambda place: (place / "reviewed.json").write_text("{}"), "has the checksum"),
        (lambda place: next((place / FOLDER).iterdir()).unlink(), "No such file or directory in the input"),
        (lambda place: next((place / FOLDER).iterdir()).write_bytes(b"x"), "other bytes than were uploaded"),
    ],
)
def test_a_damaged_set_is_refused_in_one_line(source: Path, tmp_path: Path, spoil: Any, said: str) -> None:
    place = put(tmp_path, [("bicycle", png.encode(drawn(2, 3)[0][1]))])
    spoil(place)
    with pytest.raises(DataError, match=said) as error:
        extracted(source, place, tmp_path / "out")
    assert "scones start --reviewed" in error.value.fix and "\n" not in str(error.value)


def test_a_set_of_other_classes_is_refused(source: Path, tmp_path: Path) -> None:
    place = put(tmp_path, [("bus", png.encode(drawn(2, 3)[0][1]))], ["bus", "train"])
    with pytest.raises(DataError, match="its pictures are bus, train; the pipeline has bicycle, motorcycle"):
        extracted(source, place, tmp_path / "out")


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"classes": 3, "pictures": []}', '{"classes": [], "pictures": [{}]}', "x"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="no list of reviewed pictures"):
        reviewed_list.parsed(text.encode(), "here", CLASSES)


def test_unreadable_pictures_are_named_and_many_of_them_end_the_step(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good: list[tuple[str | None, bytes]] = [(label, png.encode(pixels)) for label, pixels in drawn(40, 5)]
    _, _, report = extracted(source, put(tmp_path / "one", [*good, ("bicycle", b"GIF89a")]), tmp_path / "out")
    assert [reason for reason in report["left_out"].values() if "a GIF" in reason]
    with pytest.raises(DataError, match="of 4 pictures cannot be used"):
        extracted(source, put(tmp_path / "two", [*good[:3], ("bicycle", b"GIF89a")]), tmp_path / "more")


def test_the_same_pictures_give_the_same_bytes() -> None:
    pictures = [reviewed(b"a", "bicycle", 1), reviewed(b"b", None, 2)]
    text = reviewed_list.encoded(CLASSES, pictures)
    assert text == reviewed_list.encoded(CLASSES, pictures[::-1])
    assert set(reviewed_list.parsed(text, "here", CLASSES)) == set(pictures)
    assert json.loads(text)["pictures"][0].keys() == {"sha256", "label", "agreement", "votes", "answers"}
