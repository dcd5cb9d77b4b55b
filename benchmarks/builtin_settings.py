"""What the `builtin` algorithm's hyperparameters are worth: its own defaults against the settings that we send.

    python benchmarks/builtin_settings.py --archive cifar100-bike-motorcycle-dev.tar.gz --seeds 3 [--epochs 100]

Both run in the local stand-in, in float32 on one thread each, on the same split of the archive's train part; the seed
draws the split, the weights and the order. Settings may be chosen by the validation columns. The test columns are
only reported: of the stored model, the validation's best epoch, as it answers over the serving path.

Our settings come with our way of giving the pictures: with a margin (`pipelines.definition.builtin_algorithm`). Depth
is the one thing that both share: the container's default of 152 layers is out of reach for a CPU.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.definition.builtin_algorithm import MARGIN, learning_rate_steps, resized
from project.setting_groups import BuiltinHyperparameters
from project.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
OURS = BuiltinHyperparameters()
EPOCHS = Settings(algorithm="builtin").training_epochs
COMMON = {"num_classes": "2", "num_layers": str(OURS.num_layers)}
SETTINGS = {
    "defaults": {"image_shape": "3,32,32", "epochs": "30"},
    "ours": {
        **{name: str(value) for name, value in OURS.model_dump().items()},
        "resize": str(resized(OURS.image_shape)),
        "epochs": str(EPOCHS),
        "lr_scheduler_step": learning_rate_steps(EPOCHS),
    },
}
PICTURES = {"defaults": "", "ours": "margin"}  # the folder of train and validation pictures
GOAL = 0.05
Row = dict[str, float]


def split(archive: Path, classes: str, seed: int, folder: Path) -> None:
    """Extract and split the archive with the pipeline's own jobs, into `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, str(ROOT / "steps/run.py")]
    extract = ["extract", "--archive", archive, "--classes", classes, "--output", folder / "extracted"]
    manifests = ["manifests", "--images", folder / "extracted/images", "--output", folder / "data"]
    for job in (extract, [*manifests, "--seed", str(seed), "--classes", classes, "--margin", MARGIN]):
        subprocess.run([*run, *map(str, job)], env=environment, check=True, stdout=subprocess.DEVNULL)
    (folder / "data/margin").mkdir()
    for part in ("train", "validation"):  # pictures with a margin as the container would see them
        (folder / f"data/margin/{part}").symlink_to(folder / f"data/{part}_with_margin")
        (folder / f"data/margin/{part}_lst").symlink_to(folder / f"data/{part}_lst")


def measure(name: str, seed: int, folder: Path, epochs: str | None) -> Row:
    """Train once with the settings `name` on the split in `folder`; accuracies and seconds."""
    import torch

    from localcloud.programs.image_classification.channels import load_split
    from localcloud.programs.image_classification.hyperparameters import read_hyperparameters
    from localcloud.programs.image_classification.training import train

    torch.set_num_threads(1)
    settings = COMMON | SETTINGS[name] | ({"epochs": epochs} if epochs else {})
    log = io.StringIO()
    model = folder / f"model-{name}"
    with contextlib.redirect_stdout(log):
        pictures, resize = folder / "data" / PICTURES[name], settings.get("resize")
        training, validation = (
            load_split(pictures, part, 2, int(resize) if resize else None) for part in ("train", "validation")
        )
        hyperparameters = read_hyperparameters(settings | {"num_training_samples": str(len(training.images))})
        started = time.process_time()
        train(hyperparameters, training, validation, model, seed)
        seconds = time.process_time() - started
    curve = [float(line.split("=")[1]) for line in log.getvalue().splitlines() if "Validation-accuracy=" in line]
    return {
        "validation, last epoch": curve[-1],
        "validation, best epoch": max(curve),
        "test, served": served_accuracy(model, folder / "data"),
        "CPU s": seconds,
        "CPU s per epoch": seconds / len(curve),
    }


def served_accuracy(model: Path, data: Path) -> float:
    """Share of right answers on the test images, sent as the endpoint gets them."""
    from localcloud.programs.image_classification.prediction import load_predictor

    predict = load_predictor(model)
    rows = [line.split("\t") for line in (data / "test_lst/test.lst").read_text(encoding="utf-8").splitlines()]
    right = 0
    for _, label, file in rows:
        body, *_ = predict((data / "test" / file).read_bytes(), "application/x-image", "application/json")
        probabilities = json.loads(body)
        right += probabilities.index(max(probabilities)) == int(label)
    return right / len(rows)


def main() -> int:
    """Measure, print a table for each set of settings; 1 when ours do not beat the defaults by the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True, help="a CIFAR-100 archive")
    parser.add_argument("--classes", default="bicycle,motorcycle", help="two fine class names")
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings of each kind, seeds 1 to this")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--epochs", help="instead of the settings' own, for a quick look")
    options = parser.parse_args()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {os.cpu_count()} cores, one thread for each training")
    rows: dict[str, list[Row]] = {name: [] for name in SETTINGS}
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(options.jobs) as pool:
        running = []
        for seed in range(1, options.seeds + 1):
            folder = Path(scratch) / f"seed-{seed}"
            folder.mkdir()
            split(options.archive.resolve(), options.classes, seed, folder)
            running += [(name, seed, pool.submit(measure, name, seed, folder, options.epochs)) for name in SETTINGS]
        for name, seed, future in running:
            row = future.result()
            rows[name].append(row)
            print(f"{name}, seed {seed}: " + ", ".join(f"{key} {row[key]:.4g}" for key in row), flush=True)
    for name, found in rows.items():
        print(f"\n{name:<26}{'mean':>9}{'sd':>9}{'lowest':>9}{'highest':>9}{'n':>4}")
        for key in found[0]:
            values = [row[key] for row in found]
            spread = statistics.stdev(values) if len(values) > 1 else float("nan")
            numbers = (statistics.fmean(values), spread, min(values), max(values))
            print(f"{key:<26}" + "".join(f"{number:9.4g}" for number in numbers) + f"{len(values):>4}")
    ours, theirs = (statistics.fmean(row["test, served"] for row in rows[name]) for name in ("ours", "defaults"))
    print(f"\nours minus defaults, test: {ours - theirs:+.3f} (goal: at least {GOAL:+.2f})")
    return 0 if ours - theirs >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
