"""Reading a `.tar.gz` from elsewhere without trusting it: nothing is written to disk, nothing is read past a limit."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from project.errors import DataError

LIMIT = 512 * 1024 * 1024
"""Most bytes an archive may unpack to; CIFAR-100 unpacks to 186 MB."""
MOST_TIMES = 50
"""How many times its own bytes an archive may unpack to: pictures are hardly packed at all, and drawn ones 20 times."""
FREE = 32 * 1024 * 1024
"""Bytes that any archive may unpack to: tar fills small ones up."""


class _BoundedGzip(gzip.GzipFile):
    """Gunzips a bounded number of bytes, so that a decompression bomb ends in an error and not in lack of memory."""

    def __init__(self, archive: Path) -> None:
        super().__init__(archive, "rb")
        self.most = min(LIMIT, FREE + MOST_TIMES * archive.stat().st_size)

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.most if size is None or size < 0 else size
        self._refuse_beyond(self.tell() + wanted)
        return super().read(wanted)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._refuse_beyond(offset)
        return super().seek(offset, whence)

    def _refuse_beyond(self, position: int) -> None:
        if position > self.most:
            raise DataError(f"{self.name}: unpacks to more than {self.most:,} bytes.", "CIFAR-100 unpacks to 186 MB.")


def files(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Each regular file of `archive` in stored order: its name, its size in bytes, and a stream of its content.

    The streams are read in passing: each is valid until the next one is asked for.

    Raises:
        DataError: not a gzipped tar, truncated, larger than LIMIT, a name twice, or a member that an honest archive
            does not have (a link, a device, an absolute name, a name with `..`).
    """
    seen: set[str] = set()
    try:
        with _BoundedGzip(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as tar:
            for member in tar:
                _refuse_unsafe(archive, member)
                if not member.isreg():
                    continue
                if member.name in seen:
                    raise DataError(f"{archive}: holds {member.name!r} twice.", "Fetch the archive again.")
                seen.add(member.name)
                content = tar.extractfile(member)
                assert content is not None  # noqa: S101 - tarfile promises a stream for a regular file
                yield member.name, member.size, content
            while unzipped.read(1 << 20):  # to its end, where gzip keeps a checksum of all that came before
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{archive}: not a whole .tar.gz: {error}.", "It is truncated or damaged; fetch it again."
        ) from error
    except OSError as error:
        raise DataError(f"{archive}: {error.strerror}.", "Check the path of the archive.") from None


def _refuse_unsafe(archive: Path, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        problem = "whose name leads out of the archive"
    elif not (member.isreg() or member.isdir()) or member.issparse():
        problem = "which is neither a file nor a folder"
    else:
        return
    raise DataError(f"{archive}: refused: it holds {member.name!r}, {problem}.", "A CIFAR archive has no such member.")
