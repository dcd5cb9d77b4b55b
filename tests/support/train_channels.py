"""Channels of a training job, small enough to learn in a second: one colour per class, under noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from steps import lst, png

COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])


def write_channels(folder: Path, classes: int = 2, train: int = 24, validation: int = 8) -> None:
    """Write train, validation, train_lst and validation_lst below `folder`, with this many images of each class."""
    generator = np.random.default_rng(11)
    for channel, count in (("train", train), ("validation", validation)):
        images, manifest = folder / channel, folder / f"{channel}_lst"
        images.mkdir(parents=True)
        manifest.mkdir()
        entries = []
        for index in range(count * classes):
            label = index % classes
            pixels = COLOURS[label] + generator.normal(0, 40, (32, 32, 3))
            name = f"{channel}_{index:03d}.png"
            (images / name).write_bytes(png.encode(pixels.clip(0, 255).astype(np.uint8)))
            entries.append(lst.Entry(index, label, name))
        lst.write(manifest / f"{channel}.lst", entries)


def arguments(folder: Path, classes: int = 2) -> list[str]:
    """The command line of job Train on the channels below `folder`; results go to folder/model and folder/data."""
    return [
        *("--train", str(folder / "train"), "--validation", str(folder / "validation")),
        *("--train-lst", str(folder / "train_lst"), "--validation-lst", str(folder / "validation_lst")),
        *("--hyperparameters", str(folder / "hyperparameters.json")),
        *("--model-dir", str(folder / "model"), "--output-data-dir", str(folder / "data")),
        *("--classes", ",".join(["red", "green", "blue"][:classes])),
    ]


def write_others(folder: Path, classes: int, count: int) -> None:
    """Write channel others into `folder`: stripes, wider from class to class; the classes take turns."""
    generator = np.random.default_rng(12)
    labels = np.tile(np.arange(classes), count)
    pictures = generator.integers(0, 80, (len(labels), 32, 32, 3), dtype=np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[np.arange(32) // (2 + label) % 2 == 0] += 150
    np.savez(folder / "others.npz", pictures=pictures, labels=labels.astype(np.int64))
