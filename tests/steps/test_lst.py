"""Manifests of the image-classification algorithm: what is written can be read, and nothing wrong is let through."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project.errors import DataError
from steps import lst

GOOD = "0\t0\ta.png\n1\t1\tb.png\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "more").mkdir(parents=True)
    for name in ("a.png", "b.png", "c.png", "with space.png", "more/d.png", "line\u2028end.png", "next\x85line.png"):
        (folder / name).write_bytes(b"")
    return folder


def manifest(folder: Path, content: str | bytes) -> Path:
    file = folder / "train.lst"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        "7\t1\twith space.png\n3\t0\tmore/d.png\n",
        "0\t0\tline\u2028end.png\n1\t1\tnext\x85line.png\n",
    ],
    ids=["plain", "no newline at the end", "indices with gaps, spaces and folders in paths", "line ends of Unicode"],
)
def test_what_the_algorithm_accepts_is_read(images: Path, content: str) -> None:
    assert len(lst.read(manifest(images, content), images, 2)) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("0\t0\ta.png\n0\t1\tb.png\n", "line 2: index 0 was used in line 1"),
        ("0\t0\ta.png\n1\t1\ta.png\n", "line 2: path a.png was used in line 1"),
        ("0\t0\ta.png\n1\t0\tb.png\n", "no image has label 1"),
        ("0\t0\ta.png\n1\t2\tb.png\n", "label 2 is outside 0 to 1"),
        ("0\t0.0\ta.png\n", "label '0.0' is not a whole number"),
        ("0\t-1\ta.png\n", "label '-1' is not a whole number"),
        ("0\t\u0661\ta.png\n", "is not a whole number"),
        ("x\t0\ta.png\n", "index 'x' is not a whole number"),
        ("0 0 a.png\n", "1 tab-separated fields instead of 3. Spaces separate them."),
        ("0\t0\ta.png\textra\n", "4 tab-separated fields"),
        ("0\t0\n", "2 tab-separated fields"),
        (GOOD + "\n", "line 3: 1 tab-separated fields"),
        (GOOD.replace("\n", "\r\n"), "CR LF"),
        ("\ufeff" + GOOD, "byte-order mark"),
        (b"0\t0\t\xff.png\n", "not UTF-8"),
        ("0\t0\tmissing.png\n", "no file 'missing.png'"),
        ("0\t0\tmore\n", "no file 'more'"),
        ("0\t0\t/etc/passwd\n", "not inside the image folder"),
        ("0\t0\t../train.lst\n", "not inside the image folder"),
        ("0\t0\t\n", "not inside the image folder"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(images: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(DataError) as error:
        lst.read(manifest(images, content), images, 2)
    assert says in str(error.value) and "train.lst" in str(error.value)


def test_a_manifest_that_is_not_there(images: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        lst.read(images / "train.lst", images, 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.lists(st.integers(0, 2), max_size=20), start=st.integers(0, 10**9))
def test_what_is_written_is_read_back(tmp_path: Path, labels: list[int], start: int) -> None:
    entries = [lst.Entry(start + i, label, f"{i}.png") for i, label in enumerate([0, 1, 2, *labels])]
    for entry in entries:
        (tmp_path / entry.path).touch()
    lst.write(tmp_path / "train.lst", entries)
    assert lst.read(tmp_path / "train.lst", tmp_path, 3) == entries
