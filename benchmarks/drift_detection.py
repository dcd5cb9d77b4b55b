"""Which drift the monitor sees at 200 records a window against a baseline of 200, and what it stays quiet on.

    python benchmarks/drift_detection.py [--windows 100] [--seed 0] [--size 200] [--model FOLDER]

Trains a small model with the pipeline's own training code on drawn vehicles (or takes a model folder), and scores
pictures that it has not seen, shifted in each way. Every window is compared with a baseline of its own: the pictures of
a window, and of its baseline, are drawn without replacement from a pool of 1,000 per class, and share none.
The monitor's own code is used throughout: features from PNG bytes, suggested constraints, checks.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitoring import checks, constraints
from monitoring.capture import Tally
from monitoring.features import Columns, answer_features, picture_features
from monitoring.profile import Profile
from scones.data import sample
from scones.data.labels import FINE_NAMES
from steps import png
from steps.train import ensemble, hyperparameters, inference, temperature
from steps.train.job import write_model
from steps.train.messages import Split

CLASSES = ("bicycle", "motorcycle")
OTHERS = ("bus", "pickup_truck", "train", "apple")
POOL = 1000
THRESHOLD = 0.93
Pixels = NDArray[np.uint8]


def drawn(per_class: dict[str, int], part: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Pictures uint8 (n, 32, 32, 3) and the index of each one's class in `per_class`."""
    made = sample.pictures(per_class, part, seed=5)
    order = [FINE_NAMES.index(name) for name in per_class]
    labels = np.array([order.index(label) for label in made.labels])
    return made.pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


def trained(folder: Path) -> inference.Model:
    """A model of two networks, trained for a minute on 800 drawn pictures."""
    pictures, labels = drawn(dict.fromkeys(CLASSES, 500), part=0)
    chosen = hyperparameters.parse({"epochs": "16", "members": "2"})
    training, validation = Split(pictures[:800], labels[:800]), Split(pictures[800:], labels[800:])
    networks = ensemble.fit(training, validation, len(CLASSES), chosen)
    degrees = temperature.fit(networks.validation_logits, validation.labels)
    write_model(folder, networks, degrees, CLASSES, chosen)
    return inference.model_fn(str(folder))


def darker(pictures: Pixels, random: np.random.Generator) -> Pixels:
    """Brightness less 40 %."""
    return np.rint(pictures * 0.6).astype(np.uint8)


def noisy(pictures: Pixels, random: np.random.Generator) -> Pixels:
    """Gaussian noise, sigma 25 of 255."""
    return np.rint(np.clip(pictures + random.normal(0, 25, pictures.shape), 0, 255)).astype(np.uint8)


def grey(pictures: Pixels, random: np.random.Generator) -> Pixels:
    """Luma in all three channels."""
    luma = np.rint(pictures @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=3)


@dataclass(frozen=True)
class Scored:
    """Pictures with their features and true classes."""

    columns: Columns
    labels: NDArray[np.int64]


def scored(model: inference.Model, pictures: Pixels, labels: NDArray[np.int64]) -> Scored:
    """What the model answers, and the features that the monitor would see."""
    answers = np.concatenate(
        [model.session.run(None, {"pictures": pictures[i : i + 100]})[0] for i in range(0, len(pictures), 100)]
    )
    measured, states = picture_features([png.encode(np.ascontiguousarray(picture)) for picture in pictures])
    values = answer_features(answers.astype(np.float64).tolist(), CLASSES, THRESHOLD) | measured
    return Scored(Columns(values, {"answer": np.zeros(len(pictures), np.uint8), "picture": states}), labels)


def violations(baseline: Columns, window: Columns) -> set[str]:
    """`feature: check` of what the monitor reports."""
    then, now = Profile(), Profile()
    then.add(baseline)
    now.add(window)
    rules = constraints.parse(constraints.suggested(then, CLASSES), "benchmark")
    drifts = checks.drifts(now, then, rules, THRESHOLD)
    found = [
        *checks.data_type(now, rules, Tally()),
        *checks.completeness(now, rules),
        *checks.columns(now, rules),
        *checks.categorical_values(now, rules),
        *checks.baseline_drift(drifts),
    ]
    return {violation.feature for violation in found}


def drawn_rows(
    labels: NDArray[np.int64], shares: tuple[float, ...], n: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """`n` rows without replacement; how many of each class is left to chance."""
    counts = random.multinomial(n, shares)
    return np.concatenate([random.choice(np.flatnonzero(labels == c), k, replace=False) for c, k in enumerate(counts)])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--size", type=int, default=200, help="records of a window, and of its baseline")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--model", type=Path, help="a folder with model.onnx and model.json; made there if it is missing"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.model or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        model = inference.model_fn(str(folder)) if (folder / "model.onnx").exists() else trained(folder)
    pictures, labels = drawn(dict.fromkeys(CLASSES, POOL), part=1)
    random = np.random.default_rng(options.seed)
    plain = scored(model, pictures, labels)
    accuracy = (plain.columns.values["predicted_class"] == np.array(CLASSES, object)[labels]).mean()
    low = plain.columns.values["low_confidence"].mean()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"model: accuracy {accuracy:.3f} on {len(labels)} unseen pictures, {low:.0%} below confidence {THRESHOLD}")
    print(f"{options.windows} windows of {options.size} records, each against its own baseline of {options.size}\n")
    even = (0.5, 0.5)
    shifts: list[tuple[str, Callable[[Pixels, np.random.Generator], Pixels] | None, tuple[float, ...]]] = [
        ("no drift", None, even),
        ("brightness -40 %", darker, even),
        ("Gaussian noise, sigma 25", noisy, even),
        ("grey pictures", grey, even),
        ("class mix 50/50 to 90/10", None, (0.9, 0.1)),
    ]
    print(f"{'shift':26}{'detected':>10}   features that said so, in how many windows")
    for name, shift, shares in shifts:
        report(
            name,
            plain,
            plain if shift is None else scored(model, shift(pictures, random), labels),
            shares,
            options,
            random,
        )
    others, kinds = drawn(dict.fromkeys(OTHERS, POOL // 2), part=1)
    report("other objects", plain, scored(model, others, kinds), (0.25,) * len(OTHERS), options, random)


def report(
    name: str,
    plain: Scored,
    shifted: Scored,
    shares: tuple[float, ...],
    options: argparse.Namespace,
    random: np.random.Generator,
) -> None:
    """One line of the table."""
    detected, by_feature = 0, Counter[str]()
    for _ in range(options.windows):
        then = drawn_rows(plain.labels, (0.5, 0.5), options.size, random)
        free = shifted.labels.copy()
        if len(free) == len(plain.labels):  # the same pictures: none is in both
            free[then] = -1
        now = drawn_rows(free, shares, options.size, random)
        found = violations(plain.columns.take(then), shifted.columns.take(now))
        detected += bool(found)
        by_feature.update(found)
    said = ", ".join(f"{feature} {count}" for feature, count in by_feature.most_common(6))
    print(f"{name:26}{detected:>5}/{options.windows}   {said}", flush=True)


if __name__ == "__main__":
    main()
