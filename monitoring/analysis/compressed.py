"""Files that may be compressed, read with a bound: a megabyte of gzip may hold a gigabyte of blank lines."""

from __future__ import annotations

import gzip
import io
import os
from typing import BinaryIO

ROOM = 32 * 2**20
"""Bytes that a file may hold, however small it is compressed."""
RATIO = 32
"""Of larger files: how many times its size a file may hold. Captured traffic is compressed to a third, answers alone to
a twentieth."""


def is_compressed(content: bytes) -> bool:
    """Whether a file that begins with `content` is gzip's, whatever it is called."""
    return content[:2] == b"\x1f\x8b"


def unpacked(stream: BinaryIO) -> BinaryIO:
    """The bytes of `stream`, a file that can be sought in, uncompressed if they are gzip's. Closing it closes `stream`.

    Raises:
        OSError, EOFError, zlib.error: while it is read: it is damaged, or holds more than it may (OSError).
    """
    beginning = stream.read(2)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not is_compressed(beginning):
        return stream
    return io.BufferedReader(_Bounded(stream, max(ROOM, RATIO * size)))


class _Bounded(io.RawIOBase):
    """What a gzip stream holds, up to `limit` bytes."""

    def __init__(self, packed: BinaryIO, limit: int) -> None:
        self.packed, self.limit, self.left = packed, limit, limit
        self.stream = gzip.GzipFile(fileobj=packed, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        count = self.stream.readinto(buffer)
        self.left -= count
        if self.left < 0:
            raise OSError(
                f"it holds over {self.limit / 2**20:.0f} MB, {RATIO} times its size: unpack it if it is yours"
            )
        return count

    def close(self) -> None:
        self.stream.close()
        self.packed.close()
        super().close()
