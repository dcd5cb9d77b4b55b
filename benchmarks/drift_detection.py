"""Which drift the monitor sees at 200 records a window against a baseline of 200, and what it stays quiet on.

    python benchmarks/drift_detection.py [--windows 100] [--seed 0] [--size 200] [--archive FILE]

Trains a small model with the pipeline's own training code on drawn vehicles, and scores pictures that it has not seen,
shifted in each way. Every window is compared with a baseline of its own: the pictures of a window, and of its baseline,
are drawn without replacement from a pool of 1,000 per class, and share none. With --archive they are real: 400 of the
archive's pictures train the model, and all others are the pool.
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

from monitoring.analysis import checks, constraints
from monitoring.analysis.capture import Tally
from monitoring.analysis.features import Columns, Limits, answer_features, likeness_features, picture_features
from monitoring.analysis.profile import Profile
from project.cifar100 import FINE_NAMES
from scones.data import sample
from steps import cifar, png
from steps.train import ensemble, hyperparameters, inference, temperature
from steps.train.job import write_model
from steps.train.messages import Examples

CLASSES = ("bicycle", "motorcycle")
OTHERS = ("bus", "pickup_truck", "train", "apple")
POOL = 1000
LEARNED = 400  # pictures of a real archive that train the model; the rest is for windows and their baselines
THRESHOLD = 0.93
Pixels = NDArray[np.uint8]


def drawn(per_class: dict[str, int], part: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Pictures uint8 (n, 32, 32, 3) and the index of each one's class in `per_class`."""
    made = sample.pictures(per_class, part, seed=5)
    order = [FINE_NAMES.index(name) for name in per_class]
    labels = np.array([order.index(label) for label in made.labels])
    return made.pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


def real(archive: Path, random: np.random.Generator) -> tuple[Pixels, NDArray[np.int64]]:
    """All pictures of the two classes in an archive, in random order, and the index of each one's class."""
    content = cifar.read(archive)
    wanted = cifar.labels_of(CLASSES, content.fine_names)
    splits = (content.train, content.test)
    pixels = np.concatenate([split.pixels for split in splits])
    fine = np.concatenate([split.labels for split in splits])
    order = random.permutation(np.flatnonzero(np.isin(fine, wanted)))
    labels = np.array([wanted.index(label) for label in fine[order]])
    upright: Pixels = pixels[order].transpose(0, 2, 3, 1)
    return upright, labels


def trained(folder: Path, pictures: Pixels, labels: NDArray[np.int64]) -> inference.Model:
    """A model of two networks, trained for half a minute; a fifth of the pictures is the validation split."""
    chosen = hyperparameters.parse({"epochs": "16", "members": "2"})
    learned = len(pictures) * 4 // 5
    training = Examples(pictures[:learned], labels[:learned])
    validation = Examples(pictures[learned:], labels[learned:])
    networks = ensemble.fit(training, validation, len(CLASSES), chosen)
    degrees = temperature.of_ensemble(temperature.fit(networks.validation_logits, validation.labels), chosen.members)
    roughest = max(inference.roughness(picture) for picture in pictures)
    write_model(folder, networks, degrees, roughest, CLASSES, chosen)
    return inference.model_fn(str(folder))


def darker(pictures: Pixels, random: np.random.Generator) -> Pixels:
    """Brightness less 40 %."""
    dark: Pixels = np.rint(pictures * 0.6).astype(np.uint8)
    return dark


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
    likeness, said = likeness_features(np.full(len(pictures), np.nan), 1.0)
    answered = np.zeros(len(pictures), np.uint8)
    return Scored(Columns(values | likeness, {"answer": answered, "likeness": said, "picture": states}), labels)


def violations(baseline: Columns, window: Columns) -> set[str]:
    """`feature: check` of what the monitor reports."""
    then, now = Profile(), Profile()
    then.add(baseline)
    now.add(window)
    rules = constraints.parse(constraints.suggested(then, CLASSES), "benchmark")
    drifts = checks.drifts(now, then, rules, Limits(THRESHOLD))
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
    parser.add_argument("--archive", type=Path, help="a CIFAR-100 archive instead of drawn pictures")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    if options.archive:
        pictures, labels = real(options.archive, random)
        lessons, pool = (pictures[:LEARNED], labels[:LEARNED]), (pictures[LEARNED:], labels[LEARNED:])
    else:
        lessons, pool = drawn(dict.fromkeys(CLASSES, 500), part=0), drawn(dict.fromkeys(CLASSES, POOL), part=1)
    with tempfile.TemporaryDirectory() as folder:
        model = trained(Path(folder), *lessons)
    pictures, labels = pool
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
    if options.archive:
        return  # what other classes it has, if any, differs from archive to archive
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
