"""The job's input: the four channels of raw images and the .lst files that label them.

Source: SageMaker developer guide, "Train with the image format". Each `*_lst` channel holds one .lst file with three
tab-separated columns: a unique integer index, a class index from 0 without gaps, and the image's path relative to the
image channel.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from localcloud.errors import CustomerError
from localcloud.programs.image_classification.container_log import log
from localcloud.programs.image_classification.images import (
    UnreadableImageError,
    decode_image,
    pixels,
    resize_shortest_side,
)

CHANNELS = ("train", "validation", "train_lst", "validation_lst")
CONTENT_TYPES = ("application/x-image", "image/png", "image/jpeg")


@dataclass(frozen=True)
class LabelledImages:
    """One split in memory: images[i] is uint8 [3, height, width] (sizes may differ), labels[i] its class index."""

    images: list[np.ndarray]
    labels: list[int]


def check_channels(base: Path) -> None:
    """Refuse inputs that AWS's algorithm or this stand-in does not read, before anything is loaded.

    `base` is the container's /opt/ml. Raises CustomerError.
    """
    config_path = base / "input/config/inputdataconfig.json"
    if config_path.exists():
        config: dict[str, dict[str, str]] = json.loads(config_path.read_text(encoding="utf-8"))
    else:
        data = base / "input/data"
        config = {path.name: {} for path in sorted(data.iterdir())} if data.is_dir() else {}

    if "model" in config:
        raise CustomerError(
            "The model channel (incremental training) is not supported by the local stand-in.", "Remove the channel."
        )
    for name, channel in sorted(config.items()):
        content_type = channel.get("ContentType") or CONTENT_TYPES[0]
        if content_type.split(";")[0] == "application/x-recordio":
            raise CustomerError(
                f"The {name} channel has ContentType {content_type}; the local stand-in does not read RecordIO "
                "and augmented manifests.",
                "Use the channels train, validation, train_lst and validation_lst with application/x-image.",
            )
        if content_type not in CONTENT_TYPES:
            raise CustomerError(f"Content type {content_type} of the {name} channel is not one of {CONTENT_TYPES}.")
        if channel.get("TrainingInputMode", "File") == "Pipe":
            raise CustomerError(f"The {name} channel is in Pipe mode; raw images need File mode.")
    for name in CHANNELS:
        if name not in config:
            raise CustomerError(
                "Unable to initialize the algorithm. Failed to validate input data configuration. "
                f"(caused by ValidationError) Caused by: '{name}' is a required property"
            )


def load_split(data: Path, split: str, num_classes: int, resize: int | None) -> LabelledImages:
    """Read the images of `split` (train or validation) below `data`, the container's /opt/ml/input/data.

    They are decoded and kept in memory as uint8. `resize` is the new length of the shortest side, if any.
    Raises CustomerError with the file and line of what is wrong.
    """
    channel = data / f"{split}_lst"
    log(f"Searching for .lst files in /opt/ml/input/data/{split}_lst.")
    lists = sorted(channel.rglob("*.lst"))
    if len(lists) != 1:
        raise CustomerError(f"The {split}_lst channel must hold one .lst file, and it holds {len(lists)}.")
    log(f"Creating record files for {lists[0].name}")
    rows = read_lst(lists[0], split, num_classes)
    images = []
    for number, (_, name) in enumerate(rows, start=1):
        path = data / split / name
        where = f"Invalid lst file in the {split} channel. {lists[0].name} line {number}:"
        try:
            image = decode_image(path.read_bytes())
        except FileNotFoundError:
            raise CustomerError(f"{where} there is no image {name} in the {split} channel.") from None
        except (UnreadableImageError, IsADirectoryError) as error:
            raise CustomerError(f"{where} {name} cannot be read as an image: {error}.") from error
        images.append(pixels(image if resize is None else resize_shortest_side(image, resize)))
    log("Done creating record files...")
    return LabelledImages(images, [label for label, _ in rows])


def read_lst(path: Path, split: str, num_classes: int) -> list[tuple[int, str]]:
    """The (class index, relative image path) of every row. Raises CustomerError naming the first line that is wrong."""
    invalid = f"Invalid lst file in the {split} channel. {path.name}"
    content = path.read_bytes()
    if b"\r" in content:
        raise CustomerError(f"{invalid} has Windows line ends (CRLF).", "Write it with line feeds alone.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CustomerError(f"{invalid} is not UTF-8 text: {error}.") from error

    rows: list[tuple[int, str]] = []
    seen: dict[int, int] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        where = f"{invalid} line {number}:"
        columns = line.split("\t")
        if len(columns) != 3:
            raise CustomerError(
                f"{where} {len(columns)} tab-separated column(s) where index, class and path must be: {line[:60]!r}."
            )
        index, label, name = columns
        if not index.isascii() or not index.isdigit():
            raise CustomerError(f"{where} the index {index!r} is not an integer.")
        if int(index) in seen:
            raise CustomerError(f"{where} index {int(index)} is that of line {seen[int(index)]} already.")
        seen[int(index)] = number
        rows.append((_class_index(label, where, num_classes), _relative_path(name, where)))
    if not rows:
        raise CustomerError(f"Unable to start training. Empty .rec file in {split} channel.")
    if split == "train":
        _check_classes({label for label, _ in rows}, invalid, num_classes)
    return rows


def _class_index(text: str, where: str, num_classes: int) -> int:
    try:
        value = float(text)  # the usual tool writes class 1 as 1.000000
    except ValueError:
        raise CustomerError(f"{where} the class {text!r} is not a number.") from None
    if not value.is_integer():
        raise CustomerError(f"{where} the class {text!r} is not an integer.")
    if not 0 <= value < num_classes:
        raise CustomerError(f"{where} class {int(value)} is not between 0 and num_classes - 1 ({num_classes - 1}).")
    return int(value)


def _relative_path(name: str, where: str) -> str:
    path = PurePosixPath(name)
    if not name.strip() or path.is_absolute() or ".." in path.parts:
        raise CustomerError(f"{where} {name!r} is not a path inside the image channel.")
    return name


def _check_classes(labels: set[int], invalid: str, num_classes: int) -> None:
    gaps = sorted(set(range(max(labels))) - labels)
    if gaps:
        raise CustomerError(f"{invalid} has no image of class {gaps[0]}: classes count from 0 without gaps.")
    if len(labels) < num_classes:
        log(f"num_classes is {num_classes}, and the train channel has images of {len(labels)} classes only.", "WARNING")
