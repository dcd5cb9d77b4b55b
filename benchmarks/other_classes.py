"""What `other_pictures` is worth: accuracy, and strangers routed, with and without pictures of other classes.

    python benchmarks/other_classes.py --per-class 60 120 300 --seeds 3

Everything is drawn (`scones data sample`), new for each seed: so many bicycles and motorcycles to learn from, 50 of
each to calibrate by, 300 of each to test with; and of other classes apples and buses to learn from, trains and pickup
trucks to be shown afterwards, which no training sees. Trained as the pipeline does, with one member for the processor's
sake, and asked through the model's own `code/inference.py`. Routed is what is sure (.93) and familiar (.95).

What was chosen by such runs was chosen with seeds from 101; the figures of docs/training.md are of seeds from 1.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import accuracy
import numpy as np

from project.cifar100 import FINE_NAMES
from scones.data.sample import pictures
from steps import png
from steps.train import ensemble, inference, job, temperature
from steps.train.hyperparameters import Hyperparameters
from steps.train.messages import Examples, Others

OWN, TAUGHT, UNTAUGHT = ("bicycle", "motorcycle"), ("apple", "bus"), ("pickup_truck", "train")
VALIDATION, TEST, OTHERS, STRANGERS = 50, 300, 150, 100  # of each class


def drawn(classes: Sequence[str], count: int, part: int, seed: int) -> Examples:
    """`count` pictures of each class, labels in their order; `part` and `seed` as `scones.data.sample` takes them."""
    made = pictures(dict.fromkeys(classes, count), part, seed)
    labels = [classes.index(FINE_NAMES[label]) for label in made.labels]
    planes = made.pixels.reshape(-1, 3, 32, 32)
    return Examples(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), np.array(labels, np.int64))


def measure(per_class: int, seed: int, with_others: bool, epochs: int) -> accuracy.Row:
    """Train once and ask about everything."""
    both = drawn(OWN, per_class + VALIDATION, 0, seed)
    # The first of each class are to learn from.
    place = np.array([int((both.labels[:row] == label).sum()) for row, label in enumerate(both.labels)])
    learned = place < per_class
    training = Examples(both.pictures[learned], both.labels[learned])
    validation = Examples(both.pictures[~learned], both.labels[~learned])
    taught, untaught = (drawn(names, STRANGERS, 1, seed) for names in (TAUGHT, UNTAUGHT))
    others = Others(drawn(TAUGHT, OTHERS, 0, seed), untaught) if with_others else None
    chosen = Hyperparameters(members=1, seed=seed, epochs=epochs)
    before = _seconds()
    with contextlib.redirect_stdout(io.StringIO()):
        trained = ensemble.fit(training, validation, len(OWN), chosen, others)
    used = _seconds() - before
    roughest = max(inference.roughness(one) for one in both.pictures)
    with tempfile.TemporaryDirectory() as folder:
        fitted = temperature.fit(trained.validation_logits, validation.labels)
        job.write_model(Path(folder), trained, fitted, roughest, OWN, chosen)
        ask = accuracy.asking(Path(folder))
    test = drawn(OWN, TEST, 1, seed)
    answers = [ask(png.encode(picture)) for picture in test.pictures]
    probabilities = np.array([one.probabilities for one in answers])
    return {
        "accuracy": float((probabilities.argmax(axis=1) == test.labels).mean()),
        "vehicles routed": _routed(answers),
        "strangers routed, classes learned from": _asked(ask, taught),
        "strangers routed, classes never seen": _asked(ask, untaught),
        "training, CPU s": used,
    }


def _asked(ask: Callable[[bytes], Any], strangers: Examples) -> float:
    return _routed([ask(png.encode(picture)) for picture in strangers.pictures])


def _routed(answers: Sequence[Any]) -> float:
    sure = [one.probabilities.max() >= accuracy.THRESHOLD and one.unfamiliarity <= accuracy.LIMIT for one in answers]
    return float(np.mean(sure))


def _seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, nargs="+", default=[60, 120, 300], help="pictures to learn from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=Hyperparameters().epochs)
    options = parser.parse_args(argv)
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {accuracy.processor()}, {os.cpu_count()} cores", flush=True)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for per_class in options.per_class:
        rows: dict[bool, list[accuracy.Row]] = {False: [], True: []}
        for seed in seeds:
            for with_others, found in rows.items():
                found.append(measure(per_class, seed, with_others, options.epochs))
        print(f"{per_class} of each class; n = {len(seeds)} seeds: mean (sd) without, with, mean difference (sd)")
        for name in rows[False][0]:
            without, beside = ([row[name] for row in rows[kind]] for kind in (False, True))
            change = [b - a for a, b in zip(without, beside, strict=True)]
            print(
                f"  {name:<40}" + "".join(f"{_summary(values):>18}" for values in (without, beside, change)), flush=True
            )
    return 0


def _summary(values: Sequence[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else float("nan")
    return f"{statistics.fmean(values):.3f} ({spread:.3f})"


if __name__ == "__main__":
    sys.exit(main())
