"""The archive's other classes: pictures of what the model is not to tell apart, for it to learn from all the same.

Of the train part only, at most as many as asked for, and as many of each class. They travel as one file of
arrays: nobody looks at them, and a real archive would make thousands of small files of them.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lambdas.serialize_image.picture import normalised
from steps import cifar, picture_list, png

FILE = "others.npz"


def write(folder: Path, source: Path, classes: Sequence[str], side: int, at_most: int) -> dict[str, int]:
    """Write `others.npz` in `folder`; how many pictures of each other class are in it.

    It holds `pictures`, uint8 RGB (n, side, side, 3), and `labels`, int64 (n,), from 0. The classes take turns, so that
    any first part of it is balanced too. Without an archive, or without other classes in it, n is 0.

    Args:
        source: what the job `extract` takes: an archive, its folder, or a folder with `pictures.json`.
        at_most: pictures in all.
    """
    archive = _archive(source)
    pictures, labels, names = np.empty((0, side, side, 3), np.uint8), np.empty(0, np.int64), list[str]()
    if archive:
        content = cifar.read(archive)
        rows = list(_in_turn(content, classes))[:at_most]
        found, labels = np.unique(content.train.labels[rows], return_inverse=True)
        names = [content.fine_names[label] for label in found]
        small = content.train.pixels[rows].transpose(0, 2, 3, 1)
        pictures = np.stack([_sized(each, side) for each in small]) if rows else pictures
    folder.mkdir(parents=True)
    np.savez_compressed(folder / FILE, pictures=pictures, labels=labels.astype(np.int64))
    return {name: int(n) for name, n in zip(names, np.bincount(labels), strict=True)}


def _archive(source: Path) -> Path | None:
    if (source / picture_list.FILE).is_file():
        beside = source / picture_list.ARCHIVE
        return beside if beside.is_file() else None
    return cifar.find(source)


def _in_turn(content: cifar.Cifar, classes: Sequence[str]) -> Iterator[int]:
    """Rows of the train part that show other classes: one of each class, then another, by the hash of their pixels.

    What repeats a picture of the test part, or of one of `classes`, is passed over.
    """
    own = np.isin(np.array(content.fine_names), classes)[content.train.labels]
    digests = np.array(_digests(content.train.pixels))
    known = {*_digests(content.test.pixels), *digests[own]}
    seen = Counter[int]()
    ranked = []
    for row in np.argsort(digests):
        label = int(content.train.labels[row])
        if not own[row] and digests[row] not in known:
            known.add(digests[row])
            ranked.append((seen[label], label, int(row)))
            seen[label] += 1
    return (row for *_, row in sorted(ranked))


def _digests(pixels: NDArray[np.uint8]) -> list[str]:
    return [hashlib.sha256(each.tobytes()).hexdigest() for each in pixels]


def _sized(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if side == cifar.SIDE:
        return picture
    with Image.open(io.BytesIO(normalised(png.encode(picture), (side, side)))) as sized:
        return np.asarray(sized)
