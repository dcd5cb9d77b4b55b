"""Files and folders appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from project.errors import DataError
from project.files import sha256_of, write_file, write_folder, write_json, write_text


def test_a_file_replaces_the_old_one_only_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    write_text(file, "old")
    with pytest.raises(RuntimeError), write_file(file) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old"
    with write_file(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(file.parent.iterdir()) == [file]


def test_json_has_no_nan_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_is_filled_when_its_block_ends_and_nothing_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    with write_folder(tmp_path) as scratch:
        write_text(scratch / "checks" / "a.txt", "a")
        assert not (tmp_path / "checks" / "a.txt").exists()
    assert (tmp_path / "checks" / "a.txt").read_text() == "a"
    with pytest.raises(DataError, match=r"a\.txt: already there"), write_folder(tmp_path) as scratch:
        write_text(scratch / "checks" / "a.txt", "b")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.txt", "checks"]


def test_a_folder_stays_as_it_was_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), write_folder(tmp_path) as scratch:
        write_text(scratch / "a.txt", "a")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_checksum_is_the_contents_sha256(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256_of(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
