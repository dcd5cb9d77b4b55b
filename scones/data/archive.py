"""Writing archives in CIFAR-100's two layouts, byte for byte the same whenever the pictures are.

The gzip stream is written here, in stored blocks of one size. A compressor's output depends on its version, and so does
that of the gzip module at level 0: 5,000,003 bytes in writes of 10,000 became 5,000,671 with Python 3.11 and 5,000,546
with 3.12, both with zlib 1.2.13.
"""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

import numpy as np

from project.cifar100 import COARSE_NAMES, COARSE_OF, FINE_NAMES
from project.errors import DataError
from project.files import sha256_of, write_file
from scones.data.drawings import DRAWN
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


class _Python2Pickler(pickle._Pickler):
    """Pickles text and bytes as Python 2's `str`, and arrays under numpy's old name, as in the original.

    pickle.Pickler has no opcode for such a `str`: at protocol 2 it writes bytes as a call of `_codecs.encode`, which a
    reader of data has no reason to admit, and every byte above 127 twice.
    """

    write: Callable[[bytes], object]

    def save_string(self, value: str | bytes) -> None:
        content = value.encode("ascii") if isinstance(value, str) else value
        short = len(content) < 256
        head = pickle.SHORT_BINSTRING if short else pickle.BINSTRING
        self.write(head + struct.pack("<B" if short else "<i", len(content)) + content)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if name == "_reconstruct":  # in numpy._core.multiarray, since numpy 2
            self.write(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n")
        else:
            super().save_global(obj, name)  # type: ignore[misc]  # the standard library's stubs leave it out

    dispatch: ClassVar[dict[type, Callable[..., None]]] = {
        **pickle._Pickler.dispatch,
        str: save_string,
        bytes: save_string,
    }


def pickle_of(value: Mapping[str, object]) -> bytes:
    """A protocol-2 pickle of texts, whole numbers, lists, dictionaries and arrays, as Python 2 would load it."""
    file = io.BytesIO()
    pickler = _Python2Pickler(file, protocol=2)
    pickler.fast = True  # without a memo: which equal strings are one object differs between versions of Python
    pickler.dump(value)
    return file.getvalue()
