"""model.tar.gz."""

import gzip
import io
import os
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def archive_of(path: Path, *members: tarfile.TarInfo) -> Path:
    """A model.tar.gz whose members hold zeros."""
    with tarfile.open(path, "w:gz") as tar:
        for one in members:
            tar.addfile(one, io.BytesIO(bytes(one.size)))
    return path


HOSTILE = {
    "leads out": member("../escape", size=1),
    "leads out in the middle": member("a/../../escape", size=1),
    "folder that leads out": member("../escape", type=tarfile.DIRTYPE),
    "sibling whose name begins like the folder's": member("../model-escape", size=1),
    "absolute": member("/escape", size=1),
    "symbolic link": member("link", type=tarfile.SYMTYPE, linkname="/etc"),
    "symbolic link that stays inside": member("link", type=tarfile.SYMTYPE, linkname="good"),
    "hard link": member("link", type=tarfile.LNKTYPE, linkname="../other"),
    "hard link that stays inside": member("link", type=tarfile.LNKTYPE, linkname="good"),
    "character device": member("device", type=tarfile.CHRTYPE),
    "block device": member("device", type=tarfile.BLKTYPE),
    "pipe": member("pipe", type=tarfile.FIFOTYPE),
    "unknown kind": member("kind", type=b"Z"),
    "set-user-id": member("tool", size=1, mode=0o4755),
    "set-group-id": member("tool", size=1, mode=0o2755),
    "sticky": member("tool", size=1, mode=0o1644),
}


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_archive_with_a_hostile_member_is_refused_before_anything_is_written(
    tmp_path: Path, bad: tarfile.TarInfo
) -> None:
    archive = archive_of(tmp_path / "model.tar.gz", member("good", size=1), bad)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out" / "model")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.tar.gz"]


def test_a_member_with_a_size_below_zero_does_not_keep_the_reader_for_ever(tmp_path: Path) -> None:
    header = member("endless", size=-1024).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(io.BytesIO(gzip.compress(header + bytes(1024))), tmp_path / "out")


def test_an_absolute_name_is_refused_even_if_it_is_in_the_folder(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "model.tar.gz", member(f"{tmp_path}/out/model.pt", size=1))
    with pytest.raises(ValueError, match="absolute name"):
        unpack(archive, tmp_path / "out")


def test_a_link_that_was_in_the_folder_before_leads_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "code").symlink_to(tmp_path)
    archive = archive_of(tmp_path / "model.tar.gz", member("code/escape", size=1))
    with pytest.raises(ValueError, match="leads out"):
        unpack(archive, tmp_path / "out")


def test_of_modes_only_whether_the_owner_may_run_a_file_is_kept(tmp_path: Path) -> None:
    closed = member("closed", type=tarfile.DIRTYPE, mode=0o2000)
    files = [member("closed/run", size=1, mode=0o700), member("closed/data", size=1, mode=0o222)]
    unpack(archive_of(tmp_path / "model.tar.gz", closed, *files), tmp_path / "out")
    assert (tmp_path / "out" / "closed" / "run").stat().st_mode & 0o7777 == 0o700
    assert (tmp_path / "out" / "closed" / "data").stat().st_mode & 0o7777 == 0o600


def test_an_open_file_is_unpacked_as_its_path_is(tmp_path: Path) -> None:
    pack(folder(tmp_path / "model", ["code/job.py"]), tmp_path / "model.tar.gz")
    with (tmp_path / "model.tar.gz").open("rb") as archive:
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "code" / "job.py").read_text() == "code/job.py"


PARTS = st.sampled_from(["a", "b", "..", ".", "", "etc", "ä", "a\\b", "x" * 101])
MEMBERS = st.lists(
    st.builds(
        member,
        st.lists(PARTS, min_size=1, max_size=4).map("/".join),
        size=st.integers(0, 3),
        mode=st.integers(0, 0o7777),
        type=st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]),
        linkname=st.sampled_from(["..", "/", "a"]),
    ),
    max_size=4,
)


@given(MEMBERS)
@settings(deadline=None)
def test_whatever_an_archive_holds_it_is_refused_or_stays_in_its_folder(members: list[tarfile.TarInfo]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        archive = archive_of(root / "model.tar.gz", *members)
        with suppress(ValueError):
            unpack(archive, root / "deep" / "out")
        inside = root / "deep" / "out"
        left = {path for path in root.rglob("*") if not path.is_relative_to(inside)}
        assert left == {archive, root / "deep"}
        assert all(path.is_dir() or path.is_file() for path in inside.rglob("*"))
        assert not any(path.is_symlink() for path in inside.rglob("*"))


@given(st.data())
@settings(deadline=None)
def test_an_archive_with_a_damaged_byte_is_refused_or_unpacked(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        archive = archive_of(Path(name, "model.tar.gz"), member("a", size=3000), member("b", type=tarfile.DIRTYPE))
        content = bytearray(archive.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        with suppress(ValueError):
            unpack(io.BytesIO(content), Path(name, "out"))


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
