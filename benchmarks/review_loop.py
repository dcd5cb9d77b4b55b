"""What one loop of review is worth: traffic drifts, people label 200 deliveries, and the next model learns from them.

    python benchmarks/review_loop.py --archive cifar100-bike-motorcycle-dev.tar.gz [--seeds 3] [--labels 200]

Of an archive's pictures, both parts together, each seed draws four shares that have no picture in common: what the live
version learns from and is tested with, the labelled deliveries, and 200 fresh ones, on which alone versions are
compared. Both kinds of deliveries are drifted in the same way; how far was chosen by what the live version of one seed
loses, about ten points. The jobs are the pipeline's own: extract takes the
reviewed deliveries in and holds its share of them back, as in an execution.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import asking, processor, run_job
from folds import part_of, pictures_of
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scones.data import archive
from steps import cifar, png, reviewed_list
from steps.picture_list import FOLDER
from steps.reviewed_list import Answer, Reviewed, Vote

TEST, FRESH = 100, 200
GOAL = 0.05
Pixels = NDArray[np.uint8]


def dusk(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Half the light, and the noise of a sensor that makes up for it (sigma 4 of 255)."""
    return _clipped(picture * 0.5 + random.normal(0, 4, picture.shape))


def blurred(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian blur of 1.2 pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1.2)))


def tinted(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Under a lamp: green loses two fifths, blue two thirds."""
    return _clipped(picture * np.array([0.9, 0.6, 0.3]) + np.array([20, 10, 0]))


DRIFTS: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "dusk": dusk,
    "blurred": blurred,
    "tinted": tinted,
}


def _clipped(picture: NDArray[np.float64]) -> Pixels:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def trained(archive_file: Path, classes: Sequence[str], seed: int, folder: Path, *reviewed: str | Path) -> Any:
    """What asks the model that the pipeline's jobs train on the archive, and on a set of reviewed deliveries."""
    folder.mkdir()
    names, data = ",".join(classes), folder / "data"
    given = ("--archive", archive_file, "--classes", names, "--output", folder / "extracted")
    run_job("extract", *given, *(("--reviewed", reviewed[0]) if reviewed else ()))
    images = folder / "extracted" / "images"
    run_job("manifests", "--images", images, "--output", data, "--seed", str(seed), "--classes", names)
    settings = folder / "hyperparameters.json"
    settings.write_text(json.dumps({"seed": str(seed)}), encoding="utf-8")
    run_job(
        "train",
        *("--train", data / "train", "--validation", data / "validation"),
        *("--train-lst", data / "train_lst", "--validation-lst", data / "validation_lst"),
        *("--hyperparameters", settings, "--model-dir", folder / "model", "--output-data-dir", folder),
        *("--classes", names),
    )
    return asking(folder / "model")


def answered(ask: Any, pictures: Sequence[Pixels] | Pixels) -> NDArray[np.float64]:
    """The probabilities of each picture, float (n, k)."""
    return np.array([ask(png.encode(picture)).probabilities for picture in pictures])


def write_set(
    folder: Path, classes: Sequence[str], pictures: Sequence[Pixels], labels: NDArray[np.int64], answers: Any
) -> Path:
    """A set of reviewed deliveries as `scones monitor publish` makes it; its folder."""
    listed, contents = [], {}
    for number, (picture, label, probabilities) in enumerate(zip(pictures, labels, answers, strict=True)):
        content, name = png.encode(picture), classes[label]
        sha256, at = hashlib.sha256(content).hexdigest(), f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00"
        answer = Answer(at, f"delivery-{number}", 1, tuple(map(float, probabilities)))
        listed.append(Reviewed(sha256, name, 1.0, (Vote(at, "benchmark", name),), (answer,)))
        contents[sha256] = content
    text = reviewed_list.encoded(classes, listed)
    place = folder / reviewed_list.digest(text)
    (place / FOLDER).mkdir(parents=True)
    for sha256, content in contents.items():
        (place / FOLDER / sha256).write_bytes(content)
    (place / reviewed_list.FILE).write_bytes(text)
    return place


def measure(pixels: Pixels, fine: NDArray[np.int64], options: argparse.Namespace, seed: int, folder: Path) -> Any:
    """A row for each drift: right answers of live and new version on the fresh deliveries, and on the plain test."""
    classes = options.classes.split(",")
    random = np.random.default_rng(seed)
    order = random.permutation(len(fine))
    known = {label: number for number, label in enumerate(dict.fromkeys(fine.tolist()))}
    labels = np.array([known[label] for label in fine.tolist()])
    upright = pixels.reshape(-1, 3, cifar.SIDE, cifar.SIDE).transpose(0, 2, 3, 1)
    fresh, test, reviewed, learned = np.split(order, np.cumsum([FRESH, TEST, options.labels]))
    source = folder / "archive.tar.gz"
    archive.write(source, "python", part_of(pixels[learned], fine[learned]), part_of(pixels[test], fine[test]))
    ask = trained(source, classes, seed, folder / "live")
    plain = float((answered(ask, upright[test]).argmax(axis=1) == labels[test]).mean())
    rows = []
    for name in options.drifts.split(","):
        drift = DRIFTS[name]
        sent = [drift(picture, random) for picture in upright[reviewed]]
        asked = [drift(picture, random) for picture in upright[fresh]]
        before = float((answered(ask, asked).argmax(axis=1) == labels[fresh]).mean())
        place = write_set(folder / f"{name}-sets", classes, sent, labels[reviewed], answered(ask, sent))
        newer = trained(source, classes, seed, folder / name, place)
        after = float((answered(newer, asked).argmax(axis=1) == labels[fresh]).mean())
        plain_after = float((answered(newer, upright[test]).argmax(axis=1) == labels[test]).mean())
        row = {"live": before, "new": after, "gain": after - before, "live, plain": plain, "new, plain": plain_after}
        print(f"seed {seed}, {name}: {', '.join(f'{k} {v:.3f}' for k, v in row.items())}", flush=True)
        rows.append((name, row))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, measure, print the table; 1 if a drift's mean gain does not reach the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True, help="a CIFAR-100 archive")
    parser.add_argument("--classes", default="bicycle,motorcycle", help="comma-separated fine class names")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, 1 to this")
    parser.add_argument("--labels", type=int, default=200, help="deliveries that people label")
    parser.add_argument("--drifts", default=",".join(DRIFTS), help="comma-separated")
    options = parser.parse_args(argv)
    pixels, fine = pictures_of(cifar.read(options.archive), options.classes.split(","))
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {processor()}, {os.cpu_count()} cores", flush=True)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            for name, row in measure(pixels, fine, options, seed, Path(scratch)):
                found.setdefault(name, []).append(row)
    reached = True
    for name, rows in found.items():
        for key in rows[0]:
            values = [row[key] for row in rows]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            print(f"{name:<10}{key:<14} mean {statistics.fmean(values):.3f}  sd {spread:.3f}  n {len(values)}")
        reached &= statistics.fmean(row["gain"] for row in rows) >= GOAL
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
