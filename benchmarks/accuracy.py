"""How good, how fast and how well calibrated the `pytorch` algorithm is on an archive: mean, spread and n.

    python benchmarks/accuracy.py --archive cifar100-bike-motorcycle-dev.tar.gz --folds 5 --seeds 2
    python benchmarks/accuracy.py --archive cifar100-bike-motorcycle-dev.tar.gz --seeds 5 --recipe thorough

It runs the pipeline's own jobs (extract, manifests, train, evaluate) with the hyperparameters of a recipe and answers
with the model's own `code/inference.py`. With `--folds` every picture of the archive is tested once per seed, which
draws the folds too; without, the archive's own test part is scored once per seed. The seed draws the validation split
and the weights. An archive's own test part is only scored: no setting was or may be chosen by it.

Strangers (`strangers.py`) are routed when the model is sure and finds them familiar: at confidence .93 and
unfamiliarity .95, the defaults of the filter.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import strangers
from folds import write_folds
from PIL import Image

from monitoring.measures import metrics
from steps import cifar, lst, png, predictions
from steps.train.hyperparameters import RECIPES

ROOT = Path(__file__).resolve().parents[1]
FAST = {"epochs": "17"}
THRESHOLD, LIMIT = 0.93, 0.95
GOALS = {
    "accuracy": "at least .960 (thorough: .968)",
    "share at confidence .93": "at least .90",
    "accuracy among them": "at least .990",
    "calibration error": "at most .03",
    "training, CPU s": "at most 240: 120 s on two cores",
    "latency p50, CPU ms": "at most 1.5",
    "strangers routed": "at most .10",
}
Row = dict[str, float]


class Answer(NamedTuple):
    """What the model said of a picture: the answer's body, and what is in it and its header."""

    body: str
    probabilities: metrics.Floats
    unfamiliarity: float


@dataclass(frozen=True)
class Fold:
    """One training: what was measured, who answers, and the test images with their labels and answers."""

    row: Row
    ask: Callable[[bytes], Any]
    labels: metrics.Integers
    probabilities: metrics.Floats
    images: Path


def run_job(job: str, *options: str | Path) -> None:
    """Run one job as a container would: a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; what it said went to stderr.
    """
    command = [sys.executable, str(ROOT / "steps" / "run.py"), job, *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def measure(
    archive: Path, classes: str, seed: int, hyperparameters: Mapping[str, object], folder: Path, side: int = 32
) -> Fold:
    """Extract, split, train, score the test images of `side` pixels and evaluate, in `folder`."""
    size = ("--image-size", str(side))
    run_job("extract", "--archive", archive.resolve(), "--classes", classes, "--output", folder / "extracted", *size)
    data, model, answers = folder / "data", folder / "model", folder / "answers"
    images = folder / "extracted" / "images"
    run_job("manifests", "--images", images, "--output", data, "--seed", str(seed), "--classes", classes, *size)
    settings = folder / "hyperparameters.json"
    settings.write_text(json.dumps({**hyperparameters, "seed": str(seed)}), encoding="utf-8")
    before, started = _child_seconds(), time.perf_counter()
    run_job(
        "train",
        *("--train", data / "train", "--validation", data / "validation"),
        *("--train-lst", data / "train_lst", "--validation-lst", data / "validation_lst"),
        *("--hyperparameters", settings, "--model-dir", model, "--output-data-dir", folder, "--classes", classes),
        *size,
    )
    wall, processor = time.perf_counter() - started, _child_seconds() - before
    ask = asking(model)
    latency = score(ask, data / "test", answers)
    run_job(
        "evaluate",
        *("--predictions", answers, "--labels", data / "test_lst", "--images", data / "test"),
        *("--classes", classes, "--output", folder / "found"),
    )
    evaluation = json.loads((folder / "found" / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    entries = lst.read(data / "test_lst" / "test.lst", data / "test", len(classes.split(",")))
    scored = predictions.read(answers, [entry.path for entry in entries], len(classes.split(",")))
    row = {
        "accuracy": evaluation["metrics"]["accuracy"],
        "training, wall s": wall,
        "training, CPU s": processor,
        "latency p50, CPU ms": 1000 * latency,
    }
    return Fold(row, ask, np.array([entry.label for entry in entries]), scored.probabilities, data / "test")


def measure_strangers(fold: Fold, kinds: Mapping[str, strangers.Images]) -> None:
    """Add to the fold's row what is kept of the vehicles, and routed of each kind of stranger."""
    vehicles = np.stack([np.asarray(Image.open(file)) for file in sorted(fold.images.glob("*.png"))])
    asked = {"vehicles": vehicles, **kinds, "scrambled": strangers.scrambled(vehicles)}
    shares = {}
    for kind, pictures in asked.items():
        found = [fold.ask(png.encode(picture)) for picture in pictures]
        familiar = np.array([one.unfamiliarity <= LIMIT for one in found])
        sure = np.array([one.probabilities.max() >= THRESHOLD for one in found])
        if kind == "vehicles":
            fold.row["vehicles found familiar"] = familiar.mean()
        else:
            shares[f"routed: {kind}"] = float((familiar & sure).mean())
            shares[f"routed if only sure: {kind}"] = float(sure.mean())
    routed = [share for name, share in shares.items() if name.startswith("routed: ")]
    fold.row.update({"strangers routed": statistics.fmean(routed), **shares})


def asking(model_folder: Path) -> Callable[[bytes], Any]:
    """What asks the model about a picture's bytes, as the endpoint would, with the answer written and all."""
    serving = _load(model_folder / "code" / "inference.py")
    model = serving.model_fn(str(model_folder))

    def ask(body: bytes) -> Any:
        prediction = serving.predict_fn(serving.input_fn(body, "application/x-image"), model)
        return Answer(serving.output_fn(prediction, "application/json"), **vars(prediction))

    return ask


def score(ask: Callable[[bytes], Any], images: Path, answers: Path) -> float:
    """Answer every PNG in `images`; the median processor seconds per image, decoding included."""
    answers.mkdir()
    seconds = []
    for file in sorted(images.glob("*.png")):
        body = file.read_bytes()
        started = time.process_time()
        answer = ask(body)
        seconds.append(time.process_time() - started)
        (answers / f"{file.name}.out").write_text(answer.body, encoding="utf-8")
    return statistics.median(seconds)


def confident(labels: metrics.Integers, probabilities: metrics.Floats) -> Row:
    """How well calibrated answers are, and how many are sure enough to be routed, by the answers of a whole seed."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    sure = confidence >= THRESHOLD
    return {
        "share at confidence .93": float(sure.mean()),
        "accuracy among them": float(correct[sure].mean()),
        "calibration error": metrics.expected_calibration_error(metrics.reliability(confidence, correct)),
        "log loss": metrics.log_loss(labels, probabilities),
    }


def table(rows: Sequence[Row]) -> str:
    """One line per measure: mean, standard deviation over seeds, lowest, highest, n, goal."""
    lines = [f"{'measure':<36}{'mean':>9}{'sd':>9}{'lowest':>9}{'highest':>9}{'n':>4}  goal"]
    for name in rows[0]:
        values = [row[name] for row in rows]
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        numbers = "".join(f"{number:9.4g}" for number in (statistics.fmean(values), spread, min(values), max(values)))
        lines.append(f"{name:<36}{numbers}{len(values):>4}  {GOALS.get(name, '')}".rstrip())
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True, help="a CIFAR-100 archive")
    parser.add_argument("--classes", default="bicycle,motorcycle", help="comma-separated fine class names")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, 1 to this")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--folds", type=int, default=0, help="cross-validate in so many folds")
    parser.add_argument("--recipe", choices=RECIPES, default="standard")
    parser.add_argument("--fast", action="store_true", help=f"train with {FAST} as well")
    parser.add_argument(
        "--strangers", type=Path, help="a folder of pictures of other things, beside those that are made"
    )
    options = parser.parse_args(argv)
    chosen = {**RECIPES[options.recipe], **(FAST if options.fast else {})}
    source = cifar.read(options.archive)
    kinds = strangers.kinds(source, options.classes.split(","), options.strangers)
    rows, pooled = list[Row](), list[Row]()
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {processor()}, {os.cpu_count()} cores", flush=True)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as scratch:
            archives: Iterable[Path] = [options.archive]
            if options.folds:
                names = options.classes.split(",")
                archives = write_folds(options.archive, names, options.folds, seed, Path(scratch))
            folds = []
            for number, archive in enumerate(archives):
                folder = Path(scratch) / f"fold-{number}"
                folder.mkdir()
                folds.append(measure(archive, options.classes, seed, chosen, folder))
                measure_strangers(folds[-1], kinds)
                rows.append(folds[-1].row)
                numbers = ", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items())
                print(f"seed {seed}, fold {number}: {numbers}", flush=True)
        labels, probabilities = (
            np.concatenate(parts) for parts in zip(*((one.labels, one.probabilities) for one in folds), strict=True)
        )
        pooled.append(confident(labels, probabilities))
    print(f"By {'fold' if options.folds else 'seed'}:", table(rows), sep="\n")
    print("By seed, all of its answers together:", table(pooled), sep="\n")
    return 0


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processor() -> str:
    """The processor's model name, with the number format extensions that decide how fast it trains."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.is_file() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    extensions = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in text.split()]
    return " ".join([names[0] if names else platform.processor(), *extensions])


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"inference_{abs(hash(file))}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
