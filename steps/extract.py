"""Job ExtractCifar: the pictures of the chosen classes, as PNG files of one size and a table of them.

They come out of a CIFAR-100 archive, or are people's own photographs (`picture_list`), or both. An archive says which
of its pictures are for the test; photographs are divided by their content, and groups of them stay together (`groups`).
Reviewed deliveries join them (`reviewed_pictures`).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lambdas.serialize_image.picture import normalised
from project.errors import DataError
from project.files import write_folder, write_json
from steps import (
    cifar,
    groups,
    image_table,
    live_test,
    near_duplicates,
    other_classes,
    own_pictures,
    picture_list,
    png,
    reviewed_pictures,
)
from steps.image_table import PARTS, Picture, Row


def extract(
    source: Path,
    sha256: str | None,
    classes: Sequence[str],
    output: Path,
    side: int = 32,
    others: int = 0,
    reviewed: tuple[Path, str] | None = None,
) -> dict[str, Any]:
    """Write `images/{train,test}/*.png`, `images/images.csv` and `report/extract.json` below `output`.

    With own pictures also `images/left_out.csv`: the names of those that cannot be used, and why.
    Reviewed deliveries to be tested with go to `images/reviewed/`.

    A label is the class's place in `classes`. Names of files say nothing about the class.

    Args:
        source: an archive, or a folder with the archive alone, or a folder with `pictures.json`.
        sha256: of the archive or of `pictures.json`.
        side: width and height of the pictures, in pixels.
        others: how many pictures of the archive's other classes are written as well, to `others/`; 0: none.
        reviewed: the folder of a set of reviewed deliveries, and its address in S3.

    Returns:
        the report: layout and checksum of the source, images per part and class, seconds.

    Raises:
        DataError: the source is not what it must be, or a class has no images in one of the parts.
        UsageError: the archive has no class of that name.
    """
    started = time.monotonic()
    if (source / picture_list.FILE).is_file():
        pictures, about = _listed(source, sha256, classes, side)
    else:
        archive = cifar.find(source) if source.is_dir() else source
        content = cifar.read(archive, sha256)
        fine = dict(zip(classes, cifar.labels_of(classes, content.fine_names), strict=True))
        pictures = list(_of_archive(content, classes, fine, side))
        about = {"archive": archive.name, "layout": content.layout, "sha256": content.sha256}
    found = Counter((row.split, row.class_name) for row, _ in pictures)
    counts = {part: {name: found[part, name] for name in classes} for part in PARTS}
    for part, per_class in counts.items():
        for name, n in per_class.items():
            if n == 0:
                raise DataError(
                    f"{about['archive'] or 'The pictures'}: class {name!r} has no images in {part}.",
                    "Give it some that were not all taken at once.",
                )
    report = {**about, "classes": list(classes), "images": counts}
    divided = reviewed_pictures.Divided()
    if reviewed:
        divided = reviewed_pictures.divide(*reviewed, classes, side, [_known(*one) for one in pictures])
        report["reviewed"] = divided.report(reviewed[1], classes)
    with write_folder(output) as scratch:
        image_table.write(scratch / "images", pictures + divided.learned)
        if "left_out" in about:
            image_table.write_left_out(scratch / "images", about["left_out"]["unreadable"])
        live_test.write(scratch / "images", divided.held_out)
        if others:
            report["others"] = other_classes.write(scratch / "others", source, classes, side, others)
        report["seconds"] = round(time.monotonic() - started, 3)
        write_json(scratch / "report" / "extract.json", report)
    return report


def _of_archive(source: cifar.Cifar, classes: Sequence[str], fine: dict[str, int], side: int) -> Iterator[Picture]:
    """The pictures of each class that `fine` has the archive's label of. Named by part and row in the archive."""
    names = {label: name for name, label in fine.items()}
    for part, split in zip(PARTS, (source.train, source.test), strict=True):
        for index in np.flatnonzero(np.isin(split.labels, list(names))):
            pixels = np.ascontiguousarray(split.pixels[index].transpose(1, 2, 0))
            content = png.encode(pixels)
            if side != cifar.SIDE:
                content = normalised(content, (side, side))
                with _image(content) as image:
                    pixels = np.asarray(image)
            name, digest = names[int(split.labels[index])], hashlib.sha256(pixels.tobytes()).hexdigest()
            path = f"{part}/{part}-{index:05d}.png"
            yield Row(path, part, classes.index(name), name, digest, digest), content


def _listed(
    folder: Path, sha256: str | None, classes: Sequence[str], side: int
) -> tuple[list[Picture], dict[str, Any]]:
    """The pictures of a `pictures.json`, with those of the archive that it names; and what the report says of both."""
    listing = picture_list.read(folder, sha256, classes)
    print(f"Decoding {len(listing.pictures)} pictures.", flush=True)
    photographs, refused = own_pictures.read_all(folder, listing.pictures, side)
    own_pictures.refuse_too_many(refused, len(listing.pictures))
    mixed: list[Picture] = []
    if listing.archive:
        archive = cifar.read(folder / picture_list.ARCHIVE, listing.archive[1])
        shared = [name for name in classes if name in archive.fine_names]
        mixed = list(_of_archive(archive, classes, {name: archive.fine_names.index(name) for name in shared}, side))
    own = _divided(photographs, mixed, classes)
    about = {
        "archive": listing.archive[0] if listing.archive else None,
        "layout": f"pictures and {archive.layout}" if listing.archive else "pictures",
        "sha256": sha256,
        "own_pictures": len(own),
        "left_out": {"unreadable": refused, "in_both_parts": len(photographs) - len(own)},
    }
    return mixed + own, about


def _divided(
    photographs: list[own_pictures.Photograph], archive: list[Picture], classes: Sequence[str]
) -> list[Picture]:
    """Each photograph with its part. One that nearly repeats an archive's picture goes where that one is.

    A group that repeats pictures of both parts is left out.
    """
    grey = np.array([each.grey for each in photographs]).reshape(-1, near_duplicates.SIDE, near_duplicates.SIDE)
    numbers = groups.of_pictures(grey, [each.taken for each in photographs])
    beside: dict[str, set[int]] = {}
    for part in PARTS:
        known = [near_duplicates.grey_levels(_image(content)) for row, content in archive if row.split == part]
        repeats = groups.near(grey, np.array(known).reshape(-1, *grey.shape[1:]))
        beside[part] = set(numbers[repeats].tolist())
    both = beside["train"] & beside["test"]
    fixed = {group: part for part in PARTS for group in beside[part]}
    names = [each.listed.sha256 for each in photographs]
    parts = groups.parts(numbers, [each.listed.class_name for each in photographs], names, fixed)
    first = {group: min(n for n, other in zip(names, numbers, strict=True) if other == group) for group in set(numbers)}
    rows = []
    for each, group, part in zip(photographs, numbers, parts, strict=True):
        if group in both:
            print(
                f"Left out {each.listed.name!r}: it nearly repeats pictures of both parts of the archive.", flush=True
            )
            continue
        name = each.listed.class_name
        path = f"{part}/own-{each.listed.sha256[:24]}.png"
        rows.append((Row(path, part, classes.index(name), name, each.pixels_sha256, first[group], each.side), each.png))
    return rows


def _known(row: Row, content: bytes) -> tuple[str, str, NDArray[np.float64]]:
    return row.split, row.pixels_sha256, near_duplicates.grey_levels(_image(content))


def _image(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the job's arguments, run it, and print what it wrote."""
    parser = argparse.ArgumentParser(prog="extract", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the .tar.gz, or the folder that holds just it")
    parser.add_argument("--sha256", help="what the SHA-256 of the archive or of pictures.json must be")
    parser.add_argument("--classes", required=True, help="comma-separated class names")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=cifar.SIDE, help="pixels on each side of the pictures")
    parser.add_argument("--others", type=int, default=0, help="pictures of the archive's other classes, at most")
    parser.add_argument("--reviewed", type=Path, help="the folder of a set of reviewed deliveries")
    parser.add_argument("--reviewed-address", help="where in S3 that folder came from: its name says what is in it")
    options = parser.parse_args(argv)
    classes, side = options.classes.split(","), options.image_size
    reviewed = (options.reviewed, options.reviewed_address or str(options.reviewed)) if options.reviewed else None
    checksum = options.sha256 or None
    report = extract(options.archive, checksum, classes, options.output, side, options.others, reviewed)
    for part, counts in report["images"].items():
        print(f"{part}: {_counted(counts)}", flush=True)
    if options.others:
        kept = report["others"]
        print(f"Others, only to learn from: {sum(kept.values())} of {len(kept)} other classes", flush=True)
    if reviewed:
        _tell_reviewed(report["reviewed"])
    print(f"Extracted from the {report['layout']} layout in {report['seconds']} s.", flush=True)
    return 0


def _tell_reviewed(report: dict[str, Any]) -> None:
    print(f"Reviewed deliveries to learn from: {_counted(report['learned'])}", flush=True)
    print(f"Live test set: {_counted(report['live_test'])}, {report['neither']} neither", flush=True)
    for name, reason in list(report["left_out"].items())[: own_pictures.NAMED]:
        print(f"Left out the reviewed picture {name}: {reason}", flush=True)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())
