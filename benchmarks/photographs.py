"""How right models are on photographs of one's own, by the size that they are brought to, and what an answer takes.

    python benchmarks/photographs.py [--sizes 32,64,96] [--per-class 30] [--epochs 16] [--seeds 3]

Draws photographs of five classes (`scones data photographs`), other ones for each seed, and runs the pipeline's jobs on
them. Times are of the processor, not of the clock: training with three members, and one answer with its picture
decoded.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import statistics
import sys
import tempfile
from pathlib import Path

import accuracy

from scones.data.photographs import write_photographs
from steps import picture_list
from steps.picture_list import Listed, PictureList

CLASSES = ("bicycle", "bus", "motorcycle", "pickup_truck", "train")


def listed(folder: Path, per_class: int, seed: int) -> Path:
    """Drawn photographs as an upload leaves them."""
    write_photographs(folder / "drawn", CLASSES, per_class, seed)
    (folder / "in" / picture_list.FOLDER).mkdir(parents=True)
    rows = []
    for file in sorted((folder / "drawn").rglob("*.jpg")):
        content = file.read_bytes()
        rows.append(Listed(f"{file.parent.name}/{file.name}", file.parent.name, hashlib.sha256(content).hexdigest()))
        (folder / "in" / picture_list.FOLDER / rows[-1].sha256).write_bytes(content)
    (folder / "in" / picture_list.FILE).write_bytes(picture_list.encoded(PictureList(tuple(rows))))
    return folder / "in"


def main() -> int:
    """Print mean, standard deviation and n of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="32,64,96")
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {accuracy.processor()}", flush=True)
    for side in map(int, options.sizes.split(",")):
        rows = []
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as scratch:
                source, work = listed(Path(scratch), options.per_class, seed), Path(scratch) / "work"
                work.mkdir()
                chosen = {"epochs": str(options.epochs)}
                rows.append(accuracy.measure(source, ",".join(CLASSES), seed, chosen, work, side).row)
        for name in rows[0]:
            values = [row[name] for row in rows]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            print(f"{side} px: {name}: {statistics.fmean(values):.3f} (sd {spread:.3f}, n = {len(values)})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
