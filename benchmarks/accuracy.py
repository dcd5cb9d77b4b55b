"""How good, how fast and how well calibrated the `pytorch` algorithm is on an archive: mean, spread and n.

    python benchmarks/accuracy.py --archive cifar100-bike-motorcycle-dev.tar.gz --seeds 5 [--fast]

It runs the pipeline's own jobs (extract, manifests, train, evaluate) with the default hyperparameters, or those in
FAST, and answers with the model's own `code/inference.py`, once per seed. The seed draws the validation split and the
weights. The test images are only scored: no setting was or may be chosen by these numbers; settings are chosen by
cross-validation on training images.
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
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
FAST = {"epochs": "17"}
THRESHOLD = 0.93
GOALS = {
    "accuracy": "at least .95 (fast: .93)",
    "training, wall s": "at most 90 (fast: 25)",
    "share at confidence .93": "at least .80",
    "accuracy among them": "at least .985",
    "calibration error": "at most .04",
    "latency p50, ms": "at most 1.5",
}
Row = dict[str, float]


def run_job(job: str, *options: str | Path) -> None:
    """Run one job as a container would: a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; what it said went to stderr.
    """
    command = [sys.executable, str(ROOT / "steps" / "run.py"), job, *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def measure(images: Path, classes: str, seed: int, hyperparameters: dict[str, str], folder: Path) -> Row:
    """Split, train, score the test images and evaluate, in `folder`; the numbers of this seed."""
    data, model, answers = folder / "data", folder / "model", folder / "answers"
    run_job("manifests", "--images", images, "--output", data, "--seed", str(seed), "--classes", classes)
    settings = folder / "hyperparameters.json"
    settings.write_text(json.dumps({**hyperparameters, "seed": str(seed)}), encoding="utf-8")
    before, started = _child_seconds(), time.perf_counter()
    run_job(
        "train",
        *("--train", data / "train", "--validation", data / "validation"),
        *("--train-lst", data / "train_lst", "--validation-lst", data / "validation_lst"),
        *("--hyperparameters", settings, "--model-dir", model, "--output-data-dir", folder, "--classes", classes),
    )
    wall, processor = time.perf_counter() - started, _child_seconds() - before
    latency = score(model, data / "test", answers)
    run_job(
        "evaluate",
        *("--predictions", answers, "--labels", data / "test_lst", "--images", data / "test"),
        *("--classes", classes, "--output", folder / "found"),
    )
    evaluation = json.loads((folder / "found" / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    confident = next(point for point in evaluation["threshold_curve"] if point["threshold"] == THRESHOLD)
    return {
        "accuracy": evaluation["metrics"]["accuracy"],
        "share at confidence .93": confident["share"],
        "accuracy among them": confident["accuracy"],
        "calibration error": evaluation["metrics"]["expected_calibration_error"],
        "log loss": evaluation["metrics"]["log_loss"],
        "training, wall s": wall,
        "training, CPU s": processor,
        "latency p50, ms": 1000 * latency,
    }


def score(model_folder: Path, images: Path, answers: Path) -> float:
    """Answer every PNG in `images` as the endpoint would; the median seconds per image, decoding included."""
    serving = _load(model_folder / "code" / "inference.py")
    model = serving.model_fn(str(model_folder))
    answers.mkdir()
    seconds = []
    for file in sorted(images.glob("*.png")):
        body = file.read_bytes()
        started = time.perf_counter()
        answer = serving.output_fn(
            serving.predict_fn(serving.input_fn(body, "application/x-image"), model), "application/json"
        )
        seconds.append(time.perf_counter() - started)
        (answers / f"{file.name}.out").write_text(answer, encoding="utf-8")
    return statistics.median(seconds)


def table(rows: Sequence[Row]) -> str:
    """One line per measure: mean, standard deviation over seeds, lowest, highest, n, goal."""
    lines = [f"{'measure':<26}{'mean':>9}{'sd':>9}{'lowest':>9}{'highest':>9}{'n':>4}  goal"]
    for name in rows[0]:
        values = [row[name] for row in rows]
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        numbers = "".join(f"{number:9.4g}" for number in (statistics.fmean(values), spread, min(values), max(values)))
        lines.append(f"{name:<26}{numbers}{len(values):>4}  {GOALS.get(name, '')}".rstrip())
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True, help="a CIFAR-100 archive")
    parser.add_argument("--classes", default="bicycle,motorcycle", help="comma-separated fine class names")
    parser.add_argument("--seeds", type=int, default=5, help="how many trainings, seeds 1 to this")
    parser.add_argument("--fast", action="store_true", help=f"train with {FAST} instead of the defaults")
    options = parser.parse_args(argv)
    rows: list[Row] = []
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {_processor()}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        extracted = Path(scratch) / "extracted"
        run_job("extract", "--archive", options.archive.resolve(), "--classes", options.classes, "--output", extracted)
        for seed in range(1, options.seeds + 1):
            folder = Path(scratch) / f"seed-{seed}"
            folder.mkdir()
            settings = FAST if options.fast else {}
            rows.append(measure(extracted / "images", options.classes, seed, settings, folder))
            print(f"seed {seed}: " + ", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
    print(table(rows))
    return 0


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processor() -> str:
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
