"""Job ExtractCifar: the chosen classes of a CIFAR-100 archive, as PNG files and a table of them."""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from project.errors import DataError
from project.files import write_folder, write_json
from steps import cifar, png

COLUMNS = ("path", "split", "label", "class_name", "fine_label", "source_index", "pixels_sha256")


def extract(archive: Path, sha256: str | None, classes: Sequence[str], output: Path) -> dict[str, Any]:
    """Write `images/{train,test}/*.png`, `images/images.csv` and `report/extract.json` below `output`.

    A label is the class's place in `classes`. Names of files say nothing about the class: part and row in the archive.

    Returns:
        the report: layout and checksum of the archive, images per part and class, seconds.

    Raises:
        DataError: the archive is not what it must be, or a class has no images in one of its parts.
        UsageError: the archive has no class of that name.
    """
    started = time.monotonic()
    source = cifar.read(archive, sha256)
    fine = cifar.labels_of(classes, source.fine_names)
    parts = {"train": source.train, "test": source.test}
    counts = {
        part: {name: split.count(label) for name, label in zip(classes, fine, strict=True)}
        for part, split in parts.items()
    }
    empty = [(name, part) for part, per_class in counts.items() for name, n in per_class.items() if n == 0]
    if empty:
        name, part = empty[0]
        raise DataError(f"{archive}: class {name!r} has no images in {part}.", "Use an archive that has some.")
    with write_folder(output) as scratch:
        with _made(scratch / "images" / "images.csv").open("w", newline="", encoding="utf-8") as table:
            rows = csv.writer(table, lineterminator="\n")
            rows.writerow(COLUMNS)
            for part, split in parts.items():
                rows.writerows(_write_images(part, split, classes, fine, scratch / "images"))
        report = {
            "archive": archive.name,
            "layout": source.layout,
            "sha256": source.sha256,
            "classes": list(classes),
            "images": counts,
            "seconds": round(time.monotonic() - started, 3),
        }
        write_json(scratch / "report" / "extract.json", report)
    return report


def _write_images(
    part: str, split: cifar.Part, classes: Sequence[str], fine: list[int], folder: Path
) -> Iterator[tuple[str | int, ...]]:
    (folder / part).mkdir()
    for row in np.flatnonzero(np.isin(split.labels, fine)):
        pixels = np.ascontiguousarray(split.pixels[row].transpose(1, 2, 0))
        label = fine.index(int(split.labels[row]))
        path = f"{part}/{part}-{row:05d}.png"
        (folder / path).write_bytes(png.encode(pixels))
        yield path, part, label, classes[label], fine[label], int(row), hashlib.sha256(pixels.tobytes()).hexdigest()


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the job's arguments, run it, and print what it wrote."""
    parser = argparse.ArgumentParser(prog="extract", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the .tar.gz, or the folder that holds just it")
    parser.add_argument("--sha256", help="what the archive's SHA-256 must be")
    parser.add_argument("--classes", required=True, help="comma-separated fine class names")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(argv)
    archive = cifar.find(options.archive)
    print(f"Reading {archive.name} ({archive.stat().st_size / 1e6:.1f} MB).", flush=True)
    report = extract(archive, options.sha256 or None, options.classes.split(","), options.output)
    for part, counts in report["images"].items():
        print(f"{part}: {', '.join(f'{n} {name}' for name, n in counts.items())}", flush=True)
    print(f"Extracted from the {report['layout']} layout in {report['seconds']} s.", flush=True)
    return 0
