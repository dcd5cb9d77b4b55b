"""Job Train: read the channels, train the ensemble, fit the temperature, write the model."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from project.errors import DataError
from project.files import write_folder, write_json
from steps import lst
from steps.train import ensemble, graph, hyperparameters, inference, likeness, others, temperature
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples

REQUIREMENTS = """\
flatbuffers==25.12.19
onnxruntime==1.31.1
protobuf==6.33.6
"""
"""What the serving container installs whenever it starts: ONNX Runtime, and what that needs and the container lacks.

Pinned as in constraints.txt, so that a model is served by what it was tested with. The container's own numpy and
packaging stay as they are.
"""


LIMIT = 0.95
"""Unfamiliarity at which strangers are counted: the setting's default."""


def read_channel(images: Path, manifest: Path, classes: int, side: int) -> Examples:
    """All pictures of a channel, decoded and sized as they are when served.

    `images`: the channel's folder; `manifest`: the folder of its `.lst` channel, which holds exactly one file;
    `side`: pixels on each side.

    Raises:
        DataError: no or several manifests, a wrong manifest, or a picture that cannot be decoded.
    """
    found = sorted(manifest.glob("*.lst"))
    if len(found) != 1:
        raise DataError(f"{manifest}: {len(found)} .lst files in the channel; exactly one is needed.")
    entries = lst.read(found[0], images, classes)
    pictures = np.empty((len(entries), side, side, 3), np.uint8)
    for row, entry in enumerate(entries):
        try:
            picture = inference.decode((images / entry.path).read_bytes())
        except ValueError as error:
            raise DataError(f"{images / entry.path}: {error}", "Take the image out of the manifest.") from None
        pictures[row] = inference.pixels(picture, side)
    return Examples(pictures, np.array([entry.label for entry in entries], np.int64))


def write_model(
    folder: Path,
    trained: ensemble.Ensemble,
    fitted: float,
    roughest: float,
    classes: Sequence[str],
    chosen: Hyperparameters,
    side: int = 32,
) -> None:
    """Write what becomes model.tar.gz: `model.onnx`, `model.json` and `code/` for the serving container."""
    (folder / "model.onnx").write_bytes(graph.build(trained.networks, fitted, side))
    description = {
        "classes": list(classes),
        "image_size": side,
        "preprocessing": "RGB, stretched to image_size x image_size, values 0 to 255; normalisation is in the graph",
        "temperature": fitted,
        "likeness_percentiles": likeness.percentiles(trained.validation_likeness),
        "roughest": roughest,
        "hyperparameters": dataclasses.asdict(chosen),
    }
    write_json(folder / "model.json", description)
    code = folder / "code"
    code.mkdir()
    shutil.copyfile(inference.__file__, code / "inference.py")
    (code / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Parse `argv` and train.

    Raises:
        SconesError: wrong hyperparameters or data, or a training that failed.
    """
    parser = argparse.ArgumentParser(prog="run.py train", description=__doc__)
    for channel in ("train", "validation", "train-lst", "validation-lst"):
        parser.add_argument(f"--{channel}", type=Path, required=True, help=f"folder of channel {channel}")
    parser.add_argument("--others", type=Path, help="folder of channel others: pictures of other classes")
    parser.add_argument("--hyperparameters", type=Path, required=True, help="JSON map of strings")
    parser.add_argument("--model-dir", type=Path, required=True, help="empty folder for the model's files")
    parser.add_argument("--output-data-dir", type=Path, required=True, help="folder for training.json")
    parser.add_argument("--classes", type=lambda names: names.split(","), required=True, help="names, in label order")
    parser.add_argument("--image-size", type=int, default=32, help="pixels on each side of the model's pictures")
    options = parser.parse_args(argv)

    started = time.perf_counter()
    chosen = hyperparameters.read(options.hyperparameters)
    print("Hyperparameters:", json.dumps(dataclasses.asdict(chosen)), flush=True)
    classes = len(options.classes)
    training = read_channel(options.train, options.train_lst, classes, options.image_size)
    validation = read_channel(options.validation, options.validation_lst, classes, options.image_size)
    known = others.read(options.others, options.image_size, chosen.other_pictures) if options.others else None
    trained = ensemble.fit(training, validation, classes, chosen, known)
    single = temperature.fit(trained.validation_logits, validation.labels)
    fitted = temperature.of_ensemble(single, chosen.members)
    roughest = max(inference.roughness(one) for split in (training, validation) for one in split.pictures)
    accuracy = float((trained.validation_logits.argmax(axis=1) == validation.labels).mean())
    with write_folder(options.model_dir) as folder:
        write_model(folder, trained, fitted, roughest, options.classes, chosen, options.image_size)
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    seconds = round(time.perf_counter() - started, 2)
    summary: dict[str, float] = {"validation_accuracy": accuracy, "temperature": fitted, "seconds": seconds}
    if strangers := len(trained.strangers_likeness):
        share = likeness.share_familiar(trained.validation_likeness, trained.strangers_likeness, LIMIT)
        summary |= {"strangers": strangers, "strangers_found_familiar": share}
        print(f"Of {strangers} pictures of classes never learned from, {share:.3f} look familiar.", flush=True)
    write_json(options.output_data_dir / "training.json", summary)
    print(f"Best weights: Validation-accuracy={accuracy:.6f}; temperature {fitted:.3f}; {seconds:.1f} s.", flush=True)
    return 0
