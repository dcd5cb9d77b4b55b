"""Job BuildManifests: split the extracted images, check them, and write one folder and one `.lst` per subset.

Reviewed deliveries of the live test set lie among the test's pictures and are in no `.lst`, but in `reviewed.json`.

With a margin, the pictures to learn from are written once more, each within a frame of its own reflection: an algorithm
that trains on random crops then sees whole pictures, moved, as large as those that it is later asked about.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from project.errors import DataError
from project.files import write_folder, write_json
from steps import image_table, live_test, lst, png
from steps.cifar import SIDE
from steps.subsets import LEFT_OUT, SUBSETS, assign_subsets, count

LEARNED_FROM = ("train", "validation")
NEEDED = ("path", "split", "label", "class_name", "pixels_sha256", "group", "source_side")


def read_images(folder: Path) -> pd.DataFrame:
    """The table of extracted images, with what their files really hold.

    Returns:
        columns path, part, label, class_name, extracted_sha256, group, source_side (from images.csv), width, height
        (pixels), mode (as Pillow names it), contrast (standard deviation of the grey levels, of 255) and
        pixels_sha256 (from the files).

    Raises:
        DataError: images.csv is missing or lacks a column; a file is missing or is not an image.
    """
    table = folder / "images.csv"
    try:
        rows = pd.read_csv(table, dtype={"label": "int64"})
    except FileNotFoundError:
        raise DataError(f"{table}: missing.", "Run the job `extract` first.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not the table that `extract` writes: {error}.", "Run `extract` again.") from None
    lacking = [column for column in NEEDED if column not in rows]
    if lacking:
        raise DataError(f"{table}: no column {lacking[0]!r}.", "Run the job `extract` again.")
    measured = pd.DataFrame(
        [_measured(folder / path) for path in rows["path"]],
        columns=["width", "height", "mode", "contrast", "pixels_sha256"],
    )
    claimed = rows.rename(columns={"split": "part", "pixels_sha256": "extracted_sha256"})
    kept = ["path", "part", "label", "class_name", "extracted_sha256", "group", "source_side"]
    return claimed[kept].join(measured)


def read_photographs(folder: Path, images: pd.DataFrame) -> pd.DataFrame | None:
    """One's own pictures, a row each: `left_out` is name and reason of one that cannot be used, else None.

    None if all pictures are an archive's.
    """
    try:
        # as it stands there: a picture may be called NA
        refused = pd.read_csv(folder / image_table.LEFT_OUT_FILE, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        return None
    used = images.loc[images["source_side"].notna(), "path"]
    named = refused["name"] + ": " + refused["reason"]
    return pd.DataFrame({"name": [*used, *refused["name"]], "left_out": [*[None] * len(used), *named]}, dtype=object)


def _measured(file: Path) -> tuple[int, int, str, float, str]:
    try:
        with Image.open(file) as image:
            contrast = float(np.asarray(image.convert("L"), np.float64).std())
            return image.width, image.height, image.mode, contrast, hashlib.sha256(image.tobytes()).hexdigest()
    except FileNotFoundError:
        raise DataError(f"{file}: listed in images.csv and missing.", "Run the job `extract` again.") from None
    except Exception as error:  # decoders raise anything on damaged bytes
        reason = str(error) or type(error).__name__
        raise DataError(f"{file}: not a readable image: {reason}.", "Run the job `extract` again.") from None


def build(
    images_folder: Path,
    classes: Sequence[str],
    validation_fraction: float,
    seed: int,
    output: Path,
    margin: int = 0,
    side: int = SIDE,
) -> Any:
    """Write `train`, `validation`, `test`, `<subset>_lst`, `checks` and `report` below `output`.

    `side`: pixels on each side that every picture must have. With a `margin` in pixels also `train_with_margin` and
    `validation_with_margin`. When an expectation is not met only `checks` is written, for the execution's report.

    Returns:
        the report.

    Raises:
        DataError: an expectation is not met (each is named), or the images are not what `extract` writes.
    """
    images = read_images(images_folder)
    images["subset"] = assign_subsets(images, validation_fraction, seed)
    used = images[images["subset"] != LEFT_OUT]
    spread = used.groupby("pixels_sha256")["subset"].nunique()
    images["subsets_with_these_pixels"] = images["pixels_sha256"].map(spread).fillna(0).astype("int64")
    counts, photographs = count(images, classes), read_photographs(images_folder, images)
    from steps import expectations  # takes seconds to import, so only once the images are known to be readable

    with write_folder(output) as scratch:
        (scratch / "checks").mkdir()
        broken = expectations.validate(images, counts, classes, scratch / "checks", side, photographs)
        if not broken:
            report = _report(counts, images, classes, validation_fraction, seed)
            for subset in SUBSETS:
                _write_subset(images[images["subset"] == subset], subset, images_folder, scratch)
            _add_reviewed(images_folder, scratch)
            for subset in LEARNED_FROM if margin else ():
                _write_with_margin(scratch / subset, margin, scratch / f"{subset}_with_margin")
            write_json(scratch / "report" / "manifests.json", report)
    if broken:
        raise DataError(
            f"{len(broken)} expectation(s) not met: {'; '.join(broken)}.",
            "What each asks and found is in the execution's report: scones report.",
        )
    return report


def _report(
    counts: pd.DataFrame, images: pd.DataFrame, classes: Sequence[str], validation_fraction: float, seed: int
) -> dict[str, Any]:
    per_subset = {
        subset: {str(name): int(n) for name, n in zip(rows["class_name"], rows["images"], strict=True)}
        for subset, rows in counts.groupby("subset", sort=False)
    }
    return {
        "num_training_samples": sum(per_subset["train"].values()),
        "num_classes": len(classes),
        "classes": list(classes),
        "images": per_subset,
        "left_out_repeats": int((images["subset"] == LEFT_OUT).sum()),
        "validation_fraction": validation_fraction,
        "seed": seed,
    }


def _write_subset(images: pd.DataFrame, subset: str, source: Path, output: Path) -> None:
    folder = output / subset
    folder.mkdir()
    entries = []
    for index, (path, label) in enumerate(zip(images["path"], images["label"], strict=True)):
        name = Path(path).name
        shutil.copyfile(source / path, folder / name)
        entries.append(lst.Entry(index, int(label), name))
    listing = output / f"{subset}_lst" / f"{subset}.lst"
    listing.parent.mkdir()
    lst.write(listing, entries)


def _add_reviewed(source: Path, output: Path) -> None:
    """The live test set beside the test's pictures, so that one transform scores both, and its list beside test.lst."""
    held_out = live_test.read(source / live_test.FOLDER)
    for one in held_out:
        shutil.copyfile(source / live_test.FOLDER / one["file"], output / "test" / one["file"])
    if held_out:
        live_test.write_list(output / "test_lst", held_out)


def _write_with_margin(pictures: Path, margin: int, folder: Path) -> None:
    """Every PNG of `pictures` again in `folder`, `margin` pixels larger on each side."""
    folder.mkdir()
    for file in pictures.iterdir():
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        framed = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
        (folder / file.name).write_bytes(png.encode(framed))


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the job's arguments, run it, and print what it wrote."""
    parser = argparse.ArgumentParser(prog="manifests", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="the folder that `extract` wrote images.csv in")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--validation-fraction", type=_fraction, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--classes", required=True, help="comma-separated class names, in the order of their labels")
    parser.add_argument("--margin", type=_margin, default=0, help="pixels around the pictures of <subset>_with_margin")
    parser.add_argument("--image-size", type=int, default=SIDE, help="pixels on each side of the pictures")
    options = parser.parse_args(argv)
    split = (options.validation_fraction, options.seed)
    classes = options.classes.split(",")
    report = build(options.images, classes, *split, options.output, options.margin, options.image_size)
    for subset, counts in report["images"].items():
        print(f"{subset}: {', '.join(f'{n} {name}' for name, n in counts.items())}", flush=True)
    print(f"Every expectation holds; {report['left_out_repeats']} repeated images left out.", flush=True)
    return 0


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _margin(text: str) -> int:
    value = int(text)
    if not 0 <= value < 32:  # a reflection is at most as wide as the picture
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 31")
    return value
