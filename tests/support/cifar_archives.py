"""Small CIFAR archives for tests: honest ones, and ones that are wrong in a stated way."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

from project.cifar100 import FINE_NAMES
from scones.data.archive import pickle_of
from steps import cifar

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "cifar100-bike-motorcycle-dev.tar.gz"
"""1,000 real CIFAR-100 images; only where somebody put them beside the checkout."""


def tar_gz(path: Path, *members: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    """Write a `.tar.gz` of files with their content, or of bare headers."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def meta() -> tuple[str, bytes]:
    """The member with the names of the classes."""
    return "cifar-100-python/meta", pickle_of({"fine_label_names": list(FINE_NAMES)})


def part(name: str, labels: list[int], columns: int = cifar.PIXELS, **changes: object) -> tuple[str, bytes]:
    """Member `train` or `test` in the python layout, one random image per label."""
    pixels = np.random.default_rng(len(labels)).integers(0, 256, (len(labels), columns), dtype=np.uint8)
    return f"cifar-100-python/{name}", pickle_of({"data": pixels, "fine_labels": labels, **changes})
