"""Writing archives in CIFAR-100's two layouts, byte for byte the same whenever the pictures are.

The pickles are written by hand, with the opcodes that Python 2 used for the original: Python 3 would write other ones.
The gzip stream stores instead of compressing: what a compressor makes of the same input depends on its version.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from project.errors import DataError
from project.files import sha256_of, write_file
from scones.data.drawings import DRAWN
from scones.data.labels import COARSE_NAMES, COARSE_OF, FINE_NAMES
from scones.data.sample import Pictures, pictures

Layout = Literal["python", "binary"]
BLOCK = 0xFFFF
"""Most bytes in a stored block of a deflate stream (RFC 1951, 3.2.4)."""


class StoredGzip(io.RawIOBase):
    """A gzip stream (RFC 1952) of stored blocks, without name or time stamp."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.waiting, self.crc, self.size = file, bytearray(), 0, 0
        file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")

    def write(self, content: bytes) -> int:  # type: ignore[override]  # tarfile hands over bytes only
        self.crc = zlib.crc32(content, self.crc)
        self.size += len(content)
        self.waiting += content
        whole = len(self.waiting) - len(self.waiting) % BLOCK
        for start in range(0, whole, BLOCK):
            self._block(self.waiting[start : start + BLOCK], last=False)
        del self.waiting[:whole]
        return len(content)

    def finish(self) -> None:
        """Write the last block and the trailer."""
        self._block(self.waiting, last=True)
        self.file.write(struct.pack("<II", self.crc, self.size & 0xFFFFFFFF))

    def _block(self, content: bytearray, last: bool) -> None:
        self.file.write(struct.pack("<BHH", last, len(content), len(content) ^ 0xFFFF) + content)


def write_sample(
    path: Path, layout: Layout, train_per_class: int = 500, test_per_class: int = 100, seed: int = 7, full: bool = False
) -> dict[str, Any]:
    """Draw a sample and write it: the classes that are really drawn or, when `full`, all 100.

    Returns:
        path, layout, seed, sha256, images (in all) and classes.

    Raises:
        DataError: the file cannot be written.
    """
    classes = FINE_NAMES if full else tuple(DRAWN)
    parts = [
        pictures(dict.fromkeys(classes, n), part, seed) for part, n in enumerate((train_per_class, test_per_class))
    ]
    try:
        write(path, layout, *parts)
    except OSError as error:
        raise DataError(f"Writing {path}: {error.strerror}.", "Check the folder and the space on disk.") from None
    return {
        "path": str(path),
        "layout": layout,
        "seed": seed,
        "sha256": sha256_of(path),
        "images": sum(len(part.labels) for part in parts),
        "classes": list(classes),
    }


def write(path: Path, layout: Layout, train: Pictures, test: Pictures) -> None:
    """Write a `.tar.gz` in `layout`; `path` appears when it is complete."""
    members = _MEMBERS[layout](train, test)
    with write_file(path) as partial, partial.open("wb") as file:
        unpacked = StoredGzip(file)
        with tarfile.open(fileobj=unpacked, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=1 << 20) as tar:
            folder = tarfile.TarInfo(f"cifar-100-{layout}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
            for name, content in members.items():
                member = tarfile.TarInfo(f"cifar-100-{layout}/{name}")
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))
        unpacked.finish()


def _python_members(train: Pictures, test: Pictures) -> dict[str, bytes]:
    names = {"fine_label_names": list(FINE_NAMES), "coarse_label_names": list(COARSE_NAMES)}
    return {
        "meta": pickle_of(names),
        "test": pickle_of(_python_part(test, "testing batch 1 of 1")),
        "train": pickle_of(_python_part(train, "training batch 1 of 1")),
    }


def _python_part(part: Pictures, title: str) -> dict[str, object]:
    coarse = [COARSE_OF[label] for label in part.labels]
    return {
        "filenames": part.names,
        "batch_label": title,
        "fine_labels": part.labels.tolist(),
        "coarse_labels": coarse,
        "data": part.pixels,
    }


def _binary_members(train: Pictures, test: Pictures) -> dict[str, bytes]:
    return {
        "coarse_label_names.txt": "".join(f"{name}\n" for name in COARSE_NAMES).encode(),
        "fine_label_names.txt": "".join(f"{name}\n" for name in FINE_NAMES).encode(),
        "test.bin": _records(test),
        "train.bin": _records(train),
    }


def _records(part: Pictures) -> bytes:
    coarse = np.array(COARSE_OF, np.uint8)[part.labels]
    return np.column_stack([coarse, part.labels.astype(np.uint8), part.pixels]).tobytes()


_MEMBERS: dict[Layout, Callable[[Pictures, Pictures], dict[str, bytes]]] = {
    "python": _python_members,
    "binary": _binary_members,
}


def pickle_of(value: Mapping[str, object]) -> bytes:
    """A protocol-2 pickle of texts, whole numbers, lists, dictionaries and byte arrays, as Python 2 would load it."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: object) -> bytes:
    """Opcodes as the standard library's pickletools describes them."""
    match value:
        case dict():
            return b"}(" + b"".join(_opcodes(k) + _opcodes(v) for k, v in value.items()) + b"u"
        case list():
            return b"](" + b"".join(map(_opcodes, value)) + b"e"
        case str():
            return _string(value.encode("ascii"))
        case int():
            return b"K" + struct.pack("<B", value) if 0 <= value < 256 else b"J" + struct.pack("<i", value)
        case np.ndarray():
            return _array(value)
        case _:
            raise TypeError(f"no opcodes for {type(value).__name__}")


def _string(content: bytes) -> bytes:
    short = len(content) < 256
    return (b"U" + struct.pack("<B", len(content)) if short else b"T" + struct.pack("<i", len(content))) + content


def _array(array: NDArray[np.uint8]) -> bytes:
    """`_reconstruct(ndarray, (0,), 'b')`, then its state: (1, shape, dtype('u1', 0, 1), not column-major, bytes)."""
    rows, columns = array.shape
    new = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return (
        new
        + b"(K\x01"
        + _opcodes(rows)
        + _opcodes(columns)
        + b"\x86"
        + dtype
        + b"\x89"
        + _string(array.tobytes())
        + b"tb"
    )
