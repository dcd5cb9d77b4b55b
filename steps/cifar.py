"""CIFAR-100 archives, in both layouts in which the University of Toronto publishes them.

    cifar-100-python/{train,test,meta}                    pickled dictionaries, 3072 pixel bytes a row
    cifar-100-binary/{train,test}.bin, *_label_names.txt  records of 1 coarse byte, 1 fine byte, 3072 pixel bytes

The 3072 bytes are the red, the green and the blue plane, each 32 rows of 32. Source: cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from project.errors import DataError, UsageError
from project.files import sha256_of
from steps import pickled, tarball

SIDE = 32
PIXELS = 3 * SIDE * SIDE
RECORD = 2 + PIXELS
MEMBERS: dict[str, dict[str, str]] = {
    "python": {"train": "train", "test": "test", "names": "meta"},
    "binary": {"train": "train.bin", "test": "test.bin", "names": "fine_label_names.txt"},
}
"""Layout: what we need, and the member of folder `cifar-100-<layout>/` that holds it."""


@dataclass(frozen=True)
class Part:
    """Images of one part of the archive: pixels uint8 (n, 3, 32, 32), fine labels int64 (n,)."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def count(self, label: int) -> int:
        """How many of the images have fine label `label`."""
        return int(np.count_nonzero(self.labels == label))


@dataclass(frozen=True)
class Cifar:
    """A whole archive in memory. `fine_names[label]` is a class's name."""

    layout: Literal["python", "binary"]
    sha256: str
    fine_names: tuple[str, ...]
    train: Part
    test: Part


def find(folder: Path) -> Path:
    """The one `.tar.gz` in `folder`; `folder` itself when it is a file.

    Raises:
        DataError: none, or more than one.
    """
    if folder.is_file():
        return folder
    found = sorted(folder.glob("*.tar.gz"))
    if len(found) != 1:
        raise DataError(f"{folder}: holds {len(found)} .tar.gz files instead of one.", "Check the archive's address.")
    return found[0]


def read(archive: Path, sha256: str | None = None) -> Cifar:
    """Read `archive` in either layout. Its checksum is compared with `sha256` before anything in it is looked at.

    Raises:
        DataError: it cannot be read; another checksum; not a whole, safe CIFAR archive; wrong labels or image sizes.
    """
    try:
        found = sha256_of(archive)
    except OSError as error:
        raise DataError(f"{archive}: {error.strerror}.", "Check the path of the archive.") from None
    if sha256 is not None and found != sha256.lower():
        raise DataError(
            f"{archive}: its SHA-256 is {found}, not {sha256}.", "It is damaged or another archive; fetch it again."
        )
    layout: Literal["python", "binary"] | None = None
    parts: dict[str, Any] = {}
    for name, size, content in tarball.files(archive):
        folder, _, member = name.rpartition("/")
        kind = folder.removeprefix("./").removeprefix("cifar-100-")
        if kind not in MEMBERS or member not in MEMBERS[kind].values():
            continue
        if layout is not None and layout != kind:
            raise DataError(f"{archive}: mixes the python and the binary layout.", "Use an original archive.")
        layout = "python" if kind == "python" else "binary"
        part = next(key for key, value in MEMBERS[kind].items() if value == member)
        try:
            parts[part] = _READERS[layout, part == "names"](content, size, name, archive)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{archive}: {name} cannot be read: {error}.", "It is damaged; fetch it again.") from None
    if layout is None:
        raise DataError(f"{archive}: neither cifar-100-python/ nor cifar-100-binary/ is in it.", "Not a CIFAR archive.")
    missing = [member for part, member in MEMBERS[layout].items() if part not in parts]
    if missing:
        raise DataError(f"{archive}: cifar-100-{layout}/{missing[0]} is missing.", "Use an original archive.")
    for part in ("train", "test"):
        _check_labels(parts[part].labels, len(parts["names"]), f"{archive}: {MEMBERS[layout][part]}")
    return Cifar(layout, found, parts["names"], parts["train"], parts["test"])


def labels_of(classes: Sequence[str], fine_names: Sequence[str]) -> list[int]:
    """The fine label of each class name, in the order given.

    Raises:
        UsageError: a name that the archive does not have (the nearest is suggested), a name twice, or fewer than two.
    """
    for name in classes:
        if name not in fine_names:
            near = difflib.get_close_matches(name, fine_names, n=1, cutoff=0.5)
            fix = f"Did you mean {near[0]!r}?" if near else f"The archive has: {', '.join(fine_names)}."
            raise UsageError(f"No class {name!r} among the archive's {len(fine_names)}.", fix)
    if len(set(classes)) != len(classes):
        raise UsageError(f"A class is named twice: {', '.join(classes)}.", "Name each class once.")
    if len(classes) < 2:
        raise UsageError("A classifier needs at least two classes.", "Name them as --classes bicycle,motorcycle.")
    return [fine_names.index(name) for name in classes]


def _pickled_split(content: IO[bytes], size: int, name: str, archive: Path) -> Part:
    values = pickled.load(content, size, name, archive)
    data, labels = values.get("data"), values.get("fine_labels")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or labels is None:
        raise DataError(f"{archive}: {name} has no 'data' of bytes with 'fine_labels'.", "Use an original archive.")
    if isinstance(labels, list) and not all(type(label) is int for label in labels):
        raise DataError(f"{archive}: {name} has 'fine_labels' that are no whole numbers.", "Use an original archive.")
    if data.ndim != 2 or data.shape[1] != PIXELS:
        raise DataError(f"{archive}: {name} has images of shape {data.shape[1:]}, not ({PIXELS},).")
    try:
        numbers = np.asarray(labels, np.int64) if isinstance(labels, list) else np.asarray(labels)
    except OverflowError:
        raise DataError(f"{archive}: {name} has a label beyond 64 bits.", "Use an original archive.") from None
    if numbers.shape != (len(data),) or numbers.dtype.kind not in "iu":
        raise DataError(f"{archive}: {name} has {len(data)} images and {numbers.size} labels {numbers.dtype}.")
    return Part(data.reshape(-1, 3, SIDE, SIDE), numbers.astype(np.int64))


def _pickled_names(content: IO[bytes], size: int, name: str, archive: Path) -> tuple[str, ...]:
    names = pickled.load(content, size, name, archive).get("fine_label_names")
    if not isinstance(names, list) or not all(isinstance(n, bytes | str) for n in names):
        raise DataError(f"{archive}: {name} has no list 'fine_label_names'.", "Use an original archive.")
    return tuple(n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in names)


def _binary_split(content: IO[bytes], size: int, name: str, archive: Path) -> Part:
    if size == 0 or size % RECORD:
        raise DataError(f"{archive}: {name} has {size:,} bytes, which is not whole records of {RECORD}.")
    records = np.frombuffer(content.read(size), np.uint8).reshape(-1, RECORD)
    return Part(records[:, 2:].reshape(-1, 3, SIDE, SIDE), records[:, 1].astype(np.int64))


def _binary_names(content: IO[bytes], size: int, name: str, archive: Path) -> tuple[str, ...]:
    return tuple(content.read(size).decode("utf-8", "replace").split())


_READERS: dict[tuple[str, bool], Any] = {
    ("python", False): _pickled_split,
    ("python", True): _pickled_names,
    ("binary", False): _binary_split,
    ("binary", True): _binary_names,
}


def _check_labels(labels: NDArray[np.int64], classes: int, where: str) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        raise DataError(f"{where}: image {wrong[0]} has label {labels[wrong[0]]}, outside 0 to {classes - 1}.")
