"""ExtractCifar with people's own photographs: decoded as served, divided by content, groups kept together."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pillow_heif
import pytest
from PIL import Image, ImageOps

from lambdas.outcomes import BadInputError
from lambdas.serialize_image.picture import normalised
from project.errors import DataError
from scones.data import archive
from scones.data.photographs import write_photographs
from steps import cifar, extract, heic, manifests, own_pictures, picture_list, png
from steps.picture_list import Listed, PictureList

CLASSES = ["bicycle", "motorcycle"]
# Great Expectations imports a module that Python deprecates; nothing of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """Class and name of forty drawn photographs, and their bytes."""
    folder = tmp_path_factory.mktemp("drawn")
    write_photographs(folder, CLASSES, 20, 7)
    return {(file.parent.name, file.name): file.read_bytes() for file in sorted(folder.rglob("*.jpg"))}


def listed(folder: Path, pictures: dict[tuple[str, str], bytes], cifar_archive: Path | None = None) -> str:
    """Write the folder as an upload leaves it; the SHA-256 of its list."""
    (folder / "pictures").mkdir(parents=True)
    rows = []
    for (class_name, name), data in pictures.items():
        rows.append(Listed(f"{class_name}/{name}", class_name, hashlib.sha256(data).hexdigest()))
        (folder / "pictures" / rows[-1].sha256).write_bytes(data)
    origin = None
    if cifar_archive:
        (folder / picture_list.ARCHIVE).write_bytes(cifar_archive.read_bytes())
        origin = ("sample.tar.gz", hashlib.sha256(cifar_archive.read_bytes()).hexdigest())
    content = picture_list.encoded(PictureList(tuple(rows), origin))
    (folder / picture_list.FILE).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def extracted(tmp_path: Path, pictures: dict[tuple[str, str], bytes], **more: Any) -> tuple[pd.DataFrame, Any]:
    """images.csv by the SHA-256 of the photograph (its first 24 digits), and the report."""
    sha256 = listed(tmp_path / "in", pictures, more.pop("cifar_archive", None))
    report = extract.extract(tmp_path / "in", sha256, CLASSES, tmp_path / "out", **more)
    return pd.read_csv(tmp_path / "out" / "images" / "images.csv"), report


def key(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def split_of(table: pd.DataFrame, data: bytes) -> str:
    (found,) = table.loc[table["path"].str.contains(key(data)), "split"]
    return str(found)


def jpeg(image: Image.Image, quality: int = 90, taken: str = "", camera: str = "Phone") -> bytes:
    exif = Image.Exif()
    if taken:
        exif[0x0110] = camera
        exif.get_ifd(0x8769)[0x9003] = taken
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def test_photographs_are_decoded_as_serving_does_and_a_fifth_of_each_class_is_for_the_test(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes]
) -> None:
    table, report = extracted(tmp_path, drawn)
    assert report["images"] == {"train": dict.fromkeys(CLASSES, 16), "test": dict.fromkeys(CLASSES, 4)}
    assert (report["layout"], report["own_pictures"]) == ("pictures", 40)
    for (class_name, _), data in drawn.items():
        (row,) = table[table["path"].str.contains(key(data))].itertuples()
        assert (row.class_name, row.label) == (class_name, CLASSES.index(class_name))
        assert (tmp_path / "out" / "images" / row.path).read_bytes() == normalised(data, (32, 32))
        assert 200 <= row.source_side <= 400
    built = manifests.build(tmp_path / "out" / "images", CLASSES, 0.25, 7, tmp_path / "built")
    assert built["images"]["validation"] == dict.fromkeys(CLASSES, 4)


def test_the_split_is_of_the_content_and_more_pictures_leave_the_others_where_they_were(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes]
) -> None:
    table, _ = extracted(tmp_path / "a", drawn)
    renamed = {(kind, f"x{name[::-1]}"): data for (kind, name), data in reversed(drawn.items())}
    again, _ = extracted(tmp_path / "b", renamed)
    assert [split_of(table, data) for data in drawn.values()] == [split_of(again, data) for data in drawn.values()]
    fewer = dict(list(drawn.items())[:36])
    most, _ = extracted(tmp_path / "c", fewer)
    moved = sum(split_of(table, data) != split_of(most, data) for data in fewer.values())
    assert moved <= 2


def test_what_was_photographed_together_stays_together(tmp_path: Path, drawn: dict[tuple[str, str], bytes]) -> None:
    pictures, together, dice = dict(drawn), [], np.random.default_rng(5)
    for number in range(4):  # the same motif again: darker, mirrored, in WebP
        name, data = list(drawn.items())[number * 9]
        upright = Image.open(io.BytesIO(normalised(data, (256, 256)))).convert("RGB")
        mirrored = jpeg(upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=60)
        out = io.BytesIO()
        upright.point(lambda value: int(value * 0.8)).save(out, "WEBP")
        pictures |= {(name[0], f"m{number}.jpg"): mirrored, (name[0], f"w{number}.webp"): out.getvalue()}
        together.append([data, mirrored, out.getvalue()])
    for number in range(4):  # a burst: unlike pictures, seconds apart
        burst = []
        for second in range(3):
            noise = Image.fromarray(dice.integers(0, 256, (40, 40, 3), np.uint8))
            burst.append(jpeg(noise, taken=f"2026:05:0{number + 1} 10:00:{second * 4:02d}"))
            pictures[CLASSES[number % 2], f"b{number}-{second}.jpg"] = burst[-1]
        together.append(burst)
    table, _ = extracted(tmp_path, pictures)
    for group in together:
        assert len({split_of(table, data) for data in group}) == 1
        assert table.loc[table["path"].str.contains("|".join(map(key, group))), "group"].nunique() == 1
    subsets = manifests.assign_subsets(manifests.read_images(tmp_path / "out" / "images"), 0.25, 7)
    assert table.assign(subset=subsets).groupby("group")["subset"].nunique().max() == 1


def test_unreadable_pictures_are_named_and_too_many_end_the_step(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    bomb = png.encode(np.zeros((1, 1, 3), np.uint8))
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bomb[24:29]
    bomb = bomb[:12] + header + zlib.crc32(header).to_bytes(4, "big") + bomb[33:]
    pictures = {**drawn, ("bicycle", "bomb.png"): bomb, ("bicycle", "evil\n.jpg"): b"GIF89a"}
    _, report = extracted(tmp_path / "a", pictures)
    reasons = report["left_out"]["unreadable"]
    assert set(reasons) == {"bicycle/bomb.png", "bicycle/evil\n.jpg"} and "a GIF" in reasons["bicycle/evil\n.jpg"]
    out = capsys.readouterr().out
    assert "Left out 'bicycle/evil\\n.jpg': a GIF; send PNG, JPEG or WebP" in out and "bomb.png" in out
    manifests.build(tmp_path / "a" / "out" / "images", CLASSES, 0.25, 7, tmp_path / "built")
    checks = json.loads((tmp_path / "built" / "checks" / "validation.json").read_text())["tables"]
    (read,) = checks["photographs"]["results"]
    assert read["success"] and read["result"]["element_count"] == 42
    assert sorted(read["result"]["partial_unexpected_list"]) == [
        "bicycle/bomb.png: far too many pixels.",
        "bicycle/evil\\n.jpg: a GIF; send PNG, JPEG or WebP.",
    ]
    cut = {("motorcycle", f"{n}.jpg"): data[: 400 + n] for n, data in enumerate(drawn.values())}
    with pytest.raises(
        DataError, match=r"\d+ of 82 pictures cannot be used, such as 'bicycle/bomb.png': far too many pixels"
    ):
        extracted(tmp_path / "b", {**pictures, **cut})


def as_heic(data: bytes, **more: Any) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        out = io.BytesIO()
        pillow_heif.from_pillow(ImageOps.exif_transpose(image)).save(out, quality=90, **more)
    return out.getvalue()


def test_heic_is_read_like_the_same_picture_as_jpeg(tmp_path: Path, drawn: dict[tuple[str, str], bytes]) -> None:
    names = list(drawn)
    pictures = {**drawn, names[0]: as_heic(drawn[names[0]]), names[30]: as_heic(drawn[names[30]])}
    table, report = extracted(tmp_path, pictures)
    assert report["left_out"]["unreadable"] == {} and report["own_pictures"] == 40
    for name in (names[0], names[30]):
        (row,) = table[table["path"].str.contains(key(pictures[name]))].itertuples()
        with Image.open(tmp_path / "out" / "images" / row.path) as seen:
            found = np.asarray(seen, np.float64)
        with Image.open(io.BytesIO(normalised(drawn[name], (32, 32)))) as jpeg_seen:
            assert np.abs(found - np.asarray(jpeg_seen, np.float64)).mean() < 6, "upright, and of the same colours"


def test_a_heic_that_is_broken_too_large_or_ends_its_decoder_costs_itself_alone(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = as_heic(next(iter(drawn.values())))
    large = bytearray(sound)
    at = large.index(b"ispe") + 8
    large[at : at + 8] = (29_000).to_bytes(4, "big") * 2
    pictures = [Listed(name, "bicycle", "") for name in ("cut.heic", "large.heic", "noise.heic", "sound.heic")]
    noise = sound[:40] + np.random.default_rng(1).bytes(5000)
    contents = dict(
        zip([one.name for one in pictures], [sound[: len(sound) // 2], bytes(large), noise, sound], strict=True)
    )
    monkeypatch.setattr(own_pictures, "_content", lambda _folder, listed, _fix: contents[listed.name])
    found, refused = own_pictures.read_all(tmp_path, pictures, 32)
    assert [one.listed.name for one in found] == ["sound.heic"] and len(refused) == 3, refused
    assert heic.in_own_process(len, b"abc") == 3
    with pytest.raises(BadInputError, match="its decoder crashed"):
        heic.in_own_process(os._exit, 11)
    assert heic.in_own_process(len, b"abc") == 3, "the next picture gets a process of its own"


def test_a_heic_without_its_library_is_named_with_what_to_install(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heic, "_is_installed", lambda: False)
    _, report = extracted(tmp_path, {**drawn, ("bicycle", "IMG.HEIC"): as_heic(next(iter(drawn.values())))})
    reason = report["left_out"]["unreadable"]["bicycle/IMG.HEIC"]
    assert "pip install 'scones-unlimited[heic]', or export a JPEG" in reason


def test_own_pictures_beside_an_archive_follow_its_parts(tmp_path: Path, drawn: dict[tuple[str, str], bytes]) -> None:
    file = tmp_path / "sample.tar.gz"
    archive.write_sample(file, "python", train_per_class=20, test_per_class=6)
    source = cifar.read(file)
    pictures = dict(drawn)
    copied = {}
    for part, split in (("train", source.train), ("test", source.test)):
        row = int(np.flatnonzero(split.labels == source.fine_names.index("bicycle"))[0])
        image = Image.fromarray(split.pixels[row].transpose(1, 2, 0)).resize((300, 300))
        pictures["bicycle", f"{part}.jpg"] = copied[part] = jpeg(image)
    table, report = extracted(tmp_path, pictures, cifar_archive=file)
    assert report["layout"] == "pictures and python" and report["archive"] == "sample.tar.gz"
    assert {part: split_of(table, data) for part, data in copied.items()} == {"train": "train", "test": "test"}
    assert sum(report["images"]["train"].values()) >= 20 * 2 + 30 and table["source_side"].isna().sum() == 52
    manifests.build(tmp_path / "out" / "images", CLASSES, 0.25, 7, tmp_path / "built")


def test_blank_and_tiny_pictures_break_an_expectation(tmp_path: Path, drawn: dict[tuple[str, str], bytes]) -> None:
    dice = np.random.default_rng(3)
    poor = {("bicycle", f"blank{n}.jpg"): jpeg(Image.new("RGB", (300, 300), (n * 20, 9, 9))) for n in range(6)}
    for n in range(6):
        poor["motorcycle", f"tiny{n}.jpg"] = jpeg(Image.fromarray(dice.integers(0, 256, (20, 90, 3), np.uint8)))
    extracted(tmp_path, {**drawn, **poor})
    with pytest.raises(DataError) as error:
        manifests.build(tmp_path / "out" / "images", CLASSES, 0.25, 7, tmp_path / "built")
    assert "at most 1 in 20 images is blank" in str(error.value)
    assert "at most 1 in 20 of one's own pictures is smaller than 32 pixels" in str(error.value)


def test_what_was_not_uploaded_whole_or_changed_since_is_no_input(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes]
) -> None:
    sha256 = listed(tmp_path / "in", drawn)
    with pytest.raises(DataError, match=r"pictures.json: its SHA-256 is"):
        extract.extract(tmp_path / "in", "0" * 64, CLASSES, tmp_path / "out")
    with pytest.raises(DataError, match="is of class 'motorcycle'; the pipeline has bicycle, bus"):
        extract.extract(tmp_path / "in", sha256, ["bicycle", "bus"], tmp_path / "out")
    file = next((tmp_path / "in" / "pictures").iterdir())
    content = file.read_bytes()
    file.write_bytes(content + b"x")
    with pytest.raises(DataError, match="other bytes than were uploaded"):
        extract.extract(tmp_path / "in", sha256, CLASSES, tmp_path / "out")
    file.unlink()
    with pytest.raises(DataError, match=r"No such file .* Start again with --pictures"):
        extract.extract(tmp_path / "in", sha256, CLASSES, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*"))


def test_a_class_whose_pictures_were_all_taken_at_once_cannot_be_tested(
    tmp_path: Path, drawn: dict[tuple[str, str], bytes]
) -> None:
    dice = np.random.default_rng(4)
    burst = {
        ("motorcycle", f"{n}.jpg"): jpeg(
            Image.fromarray(dice.integers(0, 256, (40, 40, 3), np.uint8)), taken=f"2026:05:01 10:00:{n:02d}"
        )
        for n in range(10)
    }
    bicycles = {name: data for name, data in drawn.items() if name[0] == "bicycle"}
    with pytest.raises(DataError, match=r"class 'motorcycle' has no images in test. Give it some that were not all"):
        extracted(tmp_path, {**bicycles, **burst})
