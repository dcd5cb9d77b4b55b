"""Checks of the settings against one another, which no type can express."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pipelines.definition import gates
from pipelines.definition.instance_types import unknown_instance_type
from project.cifar100 import FINE_NAMES
from project.problem import Problem
from project.settings import Settings

INSTANCES = {
    "processing": "ProcessingInstanceType",
    "training": "TrainingInstanceType",
    "transform": "TransformInstanceType",
    "endpoint": "ProductionVariantInstanceType",
}
"""The enumeration of AWS's service model that has every instance type for the setting."""


def settings_agree(settings: Settings) -> Iterator[Problem]:
    """Classes and instance types exist, classes have routes and routes classes; the gate asks for enough."""
    for name in settings.classes:
        if name not in settings.routes:
            yield Problem("settings", f"class {name!r} has no route.", "Add it to `routes`.")
    for name in settings.routes:
        if name not in settings.classes:
            yield Problem("settings", f"`routes` names a class {name!r} that is not in `classes`.", "Remove one.")
    yield from _classes_are_known(settings)
    for name, kind in INSTANCES.items():
        if problem := unknown_instance_type(chosen := getattr(settings.instances, name), kind):
            yield Problem("settings", f"instances.{name} is {chosen!r}: {problem}.", "Choose another instance type.")
    guessing = 1 / len(settings.classes)
    if settings.accuracy_threshold <= guessing:
        yield Problem(
            "settings",
            f"accuracy_threshold is {settings.accuracy_threshold:g}, and guessing reaches {guessing:.3g}.",
            "Ask for more.",
        )
    if settings.gates:
        yield from _gates_bound_metrics(settings)


def _classes_are_known(settings: Settings) -> Iterator[Problem]:
    """The archive's names decide, unless the class comes from pictures of one's own: then it may have any other name.

    What is nearly one of the archive's is a slip, which only the first job would notice.
    """
    for name in settings.classes:
        if name in FINE_NAMES:
            continue
        near = difflib.get_close_matches(name.lower().replace(" ", "_"), FINE_NAMES, n=1, cutoff=0.75)
        if near:
            yield Problem("settings", f"class {name!r} is none of CIFAR-100's.", f"Did you mean {near[0]!r}?")
        elif not re.fullmatch(r"[A-Za-z0-9_-]+", name):  # jobs take the names as one argument, with commas between
            yield Problem("settings", f"class {name!r} is no name of a class.", "Use letters, digits, `_` and `-`.")


def _gates_bound_metrics(settings: Settings) -> Iterator[Problem]:
    """A metric that evaluation.json does not have would be noticed only after the training."""
    import numpy as np

    from steps.evaluate import evaluate
    from steps.live_comparison import compared
    from steps.predictions import Predictions

    every = np.arange(len(settings.classes))
    said = Predictions(np.eye(len(every))[:1], np.full(1, np.nan))
    reviewed = compared([{"file": "", "label": 0, "answers": {}}], said)
    example = evaluate(every, np.eye(len(every)), settings.classes, [f"{i}.png" for i in every], [], reviewed)
    numbers = dict(_numbers(example, ""))
    for bound in gates.bounds(settings):
        if bound.path not in numbers:
            near = difflib.get_close_matches(bound.path, numbers, n=1)
            known = ", ".join(example["metrics"])
            yield Problem(
                "settings",
                f"a gate bounds {bound.path!r}, which is no number of evaluation.json.",
                f"Did you mean {near[0]!r}?" if near else f"There is: {known}.",
            )


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """Every number in nested objects, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, float(value)
