"""Archives that are damaged, forged or of the wrong kind: one line that says so, and nothing written."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from cifar_archives import meta, part, tar_gz

from project.errors import DataError
from project.files import sha256_of
from steps import cifar, extract, tarball

CLASSES = ["bicycle", "motorcycle"]
BOTH = [8, 48]


def link(kind: bytes, name: str = "cifar-100-python/train") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def refused(archive: Path, tmp_path: Path, sha256: str | None = None) -> str:
    """The one-line error that extracting `archive` ends in; checks that nothing was written."""
    output = tmp_path / "output"
    with pytest.raises(DataError) as error:
        extract.extract(archive, sha256, CLASSES, output)
    assert not output.exists() or not any(output.rglob("*"))
    assert "\n" not in str(error.value) and archive.name in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "cifar-100-python/../../evil", "cifar-100-python\\..\\evil"])
def test_a_name_that_leads_out_of_the_archive(tmp_path: Path, name: str) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH), (name, b"x"), part("test", BOTH), meta())
    assert "leads out of the archive" in refused(archive, tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device(tmp_path: Path, kind: bytes) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", meta(), link(kind), part("test", BOTH))
    assert "neither a file nor a folder" in refused(archive, tmp_path)


def test_another_checksum_is_noticed_before_anything_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(b"not even a gzip")
    assert f"is {sha256_of(archive)}, not {'0' * 64}" in refused(archive, tmp_path, "0" * 64)


@pytest.mark.parametrize("kept", [0, 1, 15, 500, -1])
def test_a_truncated_archive(tmp_path: Path, kept: int) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH), part("test", BOTH), meta())
    archive.write_bytes(archive.read_bytes()[:kept])
    message = refused(archive, tmp_path)
    assert "truncated or damaged" in message or "Compressed file ended before" in message


def test_a_flipped_bit_in_a_pixel(tmp_path: Path) -> None:
    whole = part("train", BOTH)
    archive = tar_gz(tmp_path / "a.tar.gz", whole, part("test", BOTH), meta())
    stored = bytearray(gzip.compress(gzip.decompress(archive.read_bytes()), 0))
    stored[3000] ^= 1
    archive.write_bytes(stored)
    assert "CRC check failed" in refused(archive, tmp_path)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    page = tmp_path / "a.tar.gz"
    page.write_text("<html>not found</html>")
    assert "not a whole .tar.gz" in refused(page, tmp_path)
    page.write_bytes(gzip.compress(b"no tar inside" * 100))
    assert "not a whole .tar.gz" in refused(page, tmp_path)


def test_a_missing_file(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "nowhere.tar.gz", tmp_path)


def test_a_decompression_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarball, "LIMIT", 1_000_000)
    archive = tar_gz(tmp_path / "a.tar.gz", ("cifar-100-python/file.txt~", bytes(2_000_000)), meta())
    assert archive.stat().st_size < 10_000
    assert "unpacks to more than 1,000,000 bytes" in refused(archive, tmp_path)


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    huge = tarfile.TarInfo("cifar-100-python/train")
    huge.size = 8 * 1024**3 - 1
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(huge.tobuf() + bytes(1024))
    assert refused(tmp_path / "a.tar.gz", tmp_path)


def test_a_member_that_is_there_twice(tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH), part("train", BOTH), meta())
    assert "twice" in refused(archive, tmp_path)


@pytest.mark.parametrize("lacking", ["train", "test", "meta"])
def test_a_part_that_is_missing(tmp_path: Path, lacking: str) -> None:
    members = [m for m in (part("train", BOTH), part("test", BOTH), meta()) if not m[0].endswith(lacking)]
    assert f"cifar-100-python/{lacking} is missing" in refused(tar_gz(tmp_path / "a.tar.gz", *members), tmp_path)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", ("cifar-10-batches-py/data_batch_1", b"x"))
    assert "Not a CIFAR archive" in refused(archive, tmp_path)


def test_both_layouts_at_once(tmp_path: Path) -> None:
    records = ("cifar-100-binary/test.bin", bytes(cifar.RECORD))
    assert "mixes" in refused(tar_gz(tmp_path / "a.tar.gz", part("train", BOTH), records, meta()), tmp_path)


@pytest.mark.parametrize("label", [-1, 100, 2**31 - 1])
def test_a_label_out_of_range(tmp_path: Path, label: int) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", [8, 48, label]), part("test", BOTH), meta())
    assert f"image 2 has label {label}, outside 0 to 99" in refused(archive, tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fine_labels": [8]}, "2 images and 1 labels"),
        ({"fine_labels": ["8", "48"]}, "labels"),
        ({"fine_labels": {}}, "labels"),
        ({"data": [1, 2]}, "no 'data' of bytes"),
        ({"data": np.zeros((2, 32, 96), np.uint8)[0]}, "images of shape"),
    ],
)
def test_pixels_and_labels_that_do_not_belong_together(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH, **changes), part("test", BOTH), meta())
    assert says in refused(archive, tmp_path)


@pytest.mark.parametrize("columns", [3 * 31 * 31, 3 * 33 * 33, 1024])
def test_images_of_another_size(tmp_path: Path, columns: int) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH, columns), part("test", BOTH), meta())
    assert f"images of shape ({columns},), not (3072,)" in refused(archive, tmp_path)


def test_binary_records_of_another_size(tmp_path: Path) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", ("cifar-100-binary/train.bin", bytes(cifar.RECORD + 1)))
    assert "not whole records of 3074" in refused(archive, tmp_path)


def test_a_pickle_that_would_run_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (tmp_path / "ran").write_text, ("it ran",)

    evil = ("cifar-100-python/train", pickle.dumps({"data": Evil()}, protocol=2))
    assert "only numpy arrays are admitted" in refused(
        tar_gz(tmp_path / "a.tar.gz", evil, part("test", BOTH), meta()), tmp_path
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("where", ["train", "test"])
def test_a_class_without_images(tmp_path: Path, where: str) -> None:
    labels = {"train": BOTH, "test": BOTH} | {where: [8, 8]}
    archive = tar_gz(tmp_path / "a.tar.gz", *(part(name, of) for name, of in labels.items()), meta())
    assert f"class 'motorcycle' has no images in {where}" in refused(archive, tmp_path)


def test_a_failure_while_images_are_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar_gz(tmp_path / "a.tar.gz", part("train", BOTH), part("test", BOTH), meta())
    encode, written = extract.png.encode, io.BytesIO()

    def disk_full(pixels: np.ndarray) -> bytes:
        if written.write(b".") and written.tell() > 2:
            raise OSError(28, "No space left on device")
        return encode(pixels)

    monkeypatch.setattr(extract.png, "encode", disk_full)
    with pytest.raises(OSError, match="No space left"):
        extract.extract(archive, None, CLASSES, tmp_path / "output")
    assert not any((tmp_path / "output").rglob("*"))
