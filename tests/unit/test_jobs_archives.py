"""model.tar.gz."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from localcloud.sagemaker.jobs.archives import pack, unpack


def folder(root: Path, names: list[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def test_the_same_files_give_the_same_bytes_whenever_and_however_they_were_made(tmp_path: Path) -> None:
    first = folder(tmp_path / "first", ["model.pt", "code/inference.py", "a b/ä"])
    second = folder(tmp_path / "second", ["a b/ä", "code/inference.py", "model.pt"])
    os.utime(second / "model.pt", (1, 1))
    pack(first, tmp_path / "first.tar.gz")
    pack(second, tmp_path / "second.tar.gz")
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()
    unpack(tmp_path / "first.tar.gz", tmp_path / "out")
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "code/inference.py",
        "model.pt",
    ]
    assert (tmp_path / "out" / "a b" / "ä").read_text() == "a b/ä"


def test_links_are_not_packed(tmp_path: Path) -> None:
    source = folder(tmp_path / "model", ["model.pt"])
    (source / "secret").symlink_to("/etc/passwd")
    (source / "etc").symlink_to("/etc")
    pack(source, tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        assert tar.getnames() == ["model.pt"]


def member(name: str, **attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


@pytest.mark.parametrize(
    "bad",
    [
        member("../escape", size=1),
        member("link", type=tarfile.SYMTYPE, linkname="/etc"),
        member("link", type=tarfile.LNKTYPE, linkname="../other"),
        member("device", type=tarfile.CHRTYPE),
    ],
    ids=lambda info: info.name,
)
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(bad, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match=r"model\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out" / "model")
    assert not (tmp_path / "out" / "escape").exists()


@pytest.mark.parametrize("kept", [0, 10, 0.5])
def test_a_torn_archive_is_refused(tmp_path: Path, kept: float) -> None:
    source = tmp_path / "model"
    source.mkdir()
    (source / "weights").write_bytes(os.urandom(100_000))
    pack(source, tmp_path / "model.tar.gz")
    whole = (tmp_path / "model.tar.gz").read_bytes()
    (tmp_path / "model.tar.gz").write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out")
