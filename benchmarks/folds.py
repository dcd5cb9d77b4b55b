"""Archives for cross-validation: every picture of the classes, of both parts, is once in the test part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from project.cifar100 import FINE_NAMES
from scones.data import archive
from scones.data.sample import Pictures
from steps import cifar


def write_folds(source: Path, classes: Sequence[str], folds: int, seed: int, folder: Path) -> Iterator[Path]:
    """Write one archive per fold below `folder`, each with a class's pictures spread evenly; yields its path."""
    pixels, labels = pictures_of(cifar.read(source), classes)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # shuffled within each class
    fold_of = np.empty(len(labels), np.int64)
    fold_of[order] = np.arange(len(labels)) % folds
    for fold in range(folds):
        test = fold_of == fold
        path = folder / f"seed-{seed}-fold-{fold}.tar.gz"
        archive.write(path, "python", part_of(pixels[~test], labels[~test]), part_of(pixels[test], labels[test]))
        yield path


def pictures_of(found: cifar.Cifar, classes: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels uint8 (n, 3072) and CIFAR-100's own labels of the classes, of both parts."""
    pixels = np.concatenate([found.train.pixels, found.test.pixels]).reshape(-1, cifar.PIXELS)
    labels = np.concatenate([found.train.labels, found.test.labels])
    wanted = cifar.labels_of(classes, found.fine_names)
    names = [FINE_NAMES.index(name) for name in classes]
    rows = [np.flatnonzero(labels == label) for label in wanted]
    return pixels[np.concatenate(rows)], np.repeat(names, [len(each) for each in rows])


def part_of(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> Pictures:
    """A part of an archive, whose names say nothing."""
    return Pictures(pixels, labels, [f"picture_s_{number:06d}.png" for number in range(len(labels))])
