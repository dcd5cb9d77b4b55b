"""Reading compressed files: what they hold, and how much of it at most."""

from __future__ import annotations

import gzip
import io

import pytest

from monitoring.analysis import compressed


def test_compressed_and_plain_files_read_alike_by_lines() -> None:
    text = b"one\ntwo\n\nthree"
    for content in (text, gzip.compress(text), gzip.compress(b"one\n") + gzip.compress(b"two\n\nthree")):
        with compressed.unpacked(io.BytesIO(content)) as stream:
            assert list(stream) == [b"one\n", b"two\n", b"\n", b"three"]


def test_empty_and_short_files_are_read() -> None:
    assert [compressed.unpacked(io.BytesIO(content)).read() for content in (b"", b"\x1f", b"ab")] == [
        b"",
        b"\x1f",
        b"ab",
    ]


def test_a_small_file_holds_what_there_is_room_for_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "ROOM", 1000)
    assert len(compressed.unpacked(io.BytesIO(gzip.compress(b"a" * 1000))).read()) == 1000
    with (
        compressed.unpacked(io.BytesIO(gzip.compress(b"a" * 100_000))) as stream,
        pytest.raises(OSError, match="times its size: unpack it if it is yours"),
    ):
        stream.read()


def test_closing_closes_the_file() -> None:
    for content in (b"plain", gzip.compress(b"packed")):
        file = io.BytesIO(content)
        compressed.unpacked(file).close()
        assert file.closed
