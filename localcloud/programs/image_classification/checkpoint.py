"""What a training job leaves in the model folder, and how it is read back.

The container's three members at the archive's root: `image-classification-0010.params` (the number is the epoch,
counted from 1), `model-shapes.json`, `image-classification-symbol.json`. Here the first is a NumPy .npz of plain
arrays and the last a description of the network; neither holds code, so a foreign archive cannot run anything.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from localcloud.errors import ArtifactError
from localcloud.programs.image_classification.network import INPUT, Node

SYMBOL = "image-classification-symbol.json"
SHAPES = "model-shapes.json"
FORMAT = "image-classification stand-in, version 1"


@dataclass(frozen=True)
class TrainedModel:
    """A network description with its learnt arrays (named `<node>_<role>`)."""

    nodes: list[Node]
    image_shape: tuple[int, int, int]
    num_classes: int
    parameters: Mapping[str, np.ndarray]


def params_name(epoch: int) -> str:
    """The file name of the weights after `epoch` epochs (counted from 1)."""
    return f"image-classification-{epoch:04d}.params"


def save_checkpoint(model_dir: Path, epoch: int, model: TrainedModel) -> Path:
    """Write the weights of `epoch` (counted from 1) and the two descriptions; gives the path of the weights."""
    model_dir.mkdir(parents=True, exist_ok=True)
    symbol = {
        "format": FORMAT,
        "image_shape": list(model.image_shape),
        "num_classes": model.num_classes,
        "nodes": [asdict(node) for node in model.nodes],
    }
    shapes = [{"name": INPUT, "shape": [1, *model.image_shape]}]
    _write(model_dir / SYMBOL, json.dumps(symbol, indent=1).encode())
    _write(model_dir / SHAPES, json.dumps(shapes).encode())
    path = model_dir / params_name(epoch)
    unfinished = model_dir / f".{path.name}"
    with unfinished.open("wb") as file:
        np.savez(file, **model.parameters)  # type: ignore[arg-type]  # the stub takes a keyword for allow_pickle
    unfinished.replace(path)
    return path


def load_newest(model_dir: Path) -> TrainedModel:
    """Read the weights of the latest epoch in `model_dir`. Raises ArtifactError when they cannot be used."""
    found = sorted(path for path in model_dir.glob("image-classification-*.params") if _epoch(path) is not None)
    if not found:
        raise ArtifactError(
            f"Loading the model from {model_dir}: there is no image-classification-NNNN.params in it.",
            "Give the model.tar.gz of a training job of this algorithm.",
        )
    path = found[-1]
    try:
        symbol = json.loads((model_dir / SYMBOL).read_text(encoding="utf-8"))
        if symbol.get("format") != FORMAT:
            raise ValueError(f"{SYMBOL} was not written by the local stand-in")
        nodes = [
            Node(node["name"], node["kind"], tuple(node["inputs"]), dict(node["attributes"]))
            for node in symbol["nodes"]
        ]
        channels, height, width = (int(side) for side in symbol["image_shape"])
        with np.load(path, allow_pickle=False) as arrays:
            parameters = {name: arrays[name] for name in arrays.files}
        num_classes = int(symbol["num_classes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"Loading the model from {path}: {type(error).__name__}: {error}.",
            "Weights trained by AWS's own container cannot be served by the local stand-in; train again locally.",
        ) from error
    return TrainedModel(nodes, (channels, height, width), num_classes, parameters)


def _epoch(path: Path) -> int | None:
    match = re.fullmatch(r"image-classification-(\d{4,})\.params", path.name)
    return int(match[1]) if match else None


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
