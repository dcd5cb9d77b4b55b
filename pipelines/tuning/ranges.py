"""Which hyperparameters a search changes, and how far: defaults per algorithm, and `name=low:high[:scale]`."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable
from typing import Any

from localcloud.contract.definition import Json
from project.errors import UsageError
from steps.train.hyperparameters import LIMITS, Hyperparameters

SCALES = {"linear": "Linear", "log": "Logarithmic", "reverse": "ReverseLogarithmic"}
SYNTAX = "Write name=low:high, name=low:high:log (or :reverse), or name=value,value."

BUILTIN: dict[str, type] = {
    "learning_rate": float,
    "mini_batch_size": int,
    "momentum": float,
    "optimizer": str,
    "weight_decay": float,
}
"""What AWS lets a tuning job change of its algorithm, as far as it is one of our settings."""
PYTORCH: dict[str, type] = {name: type(value) for name, value in dataclasses.asdict(Hyperparameters()).items()}

DEFAULTS = {
    "builtin": ("learning_rate=0.02:0.4:log", "weight_decay=0.00005:0.005:log", "momentum=0.8:0.98:reverse"),
    "pytorch": (
        "filter_learning_rate=0.03:0.3:log",
        "learning_rate=0.03:0.3:log",
        "weight_decay=0.0003:0.01:log",
        "label_smoothing=0:0.2",
    ),
}
"""Around the defaults of each algorithm, a factor of about three to ten each way."""


def tunable(algorithm: str) -> dict[str, type]:
    """The type of every hyperparameter that a search may change."""
    return {"builtin": BUILTIN, "pytorch": PYTORCH}[algorithm]


def parameter_ranges(algorithm: str, texts: Iterable[str]) -> Json:
    """ParameterRanges of the texts, or of the algorithm's defaults if there are none.

    Raises:
        UsageError: a text that is no range, an unknown name, one given twice, or a value out of bounds.
    """
    found: Json = {}
    seen: set[str] = set()
    for text in tuple(texts) or DEFAULTS[algorithm]:
        kind, one = _range(text, tunable(algorithm), algorithm)
        if one["Name"] in seen:
            raise UsageError(f"--range {one['Name']} is given twice.", "Give it once.")
        seen.add(one["Name"])
        found.setdefault(f"{kind}ParameterRanges", []).append(one)
    return found


def names(ranges: Json) -> list[str]:
    """The names of the hyperparameters in a ParameterRanges structure."""
    return [one["Name"] for kind in ranges.values() for one in kind]


def _range(text: str, types: dict[str, type], algorithm: str) -> tuple[str, dict[str, Any]]:
    name, _, rest = text.partition("=")
    if not rest:
        raise UsageError(f"--range {text!r} is not a range.", SYNTAX)
    if name not in types:
        near = difflib.get_close_matches(name, types, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"It can change {', '.join(types)}."
        raise UsageError(f"A search cannot change {name!r} of the algorithm {algorithm}.", fix)
    if ":" not in rest:
        values = rest.split(",")
        if types[name] is not str:
            for value in values:
                _number(text, name, value, types[name], algorithm)
        return "Categorical", {"Name": name, "Values": values}
    low, high, scale = [*rest.split(":"), "linear"][:3]
    if rest.count(":") > 2 or scale not in SCALES or types[name] is str:
        raise UsageError(f"--range {text!r} is not a range.", SYNTAX)
    bounds = [_number(text, name, bound, types[name], algorithm) for bound in (low, high)]
    if bounds[0] >= bounds[1]:
        raise UsageError(f"--range {text!r}: {low} is not below {high}.")
    kind = "Integer" if types[name] is int else "Continuous"
    return kind, {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": SCALES[scale]}


def _number(text: str, name: str, value: str, kind: type, algorithm: str) -> float:
    try:
        number = float(kind(value))
        if not math.isfinite(number):
            raise ValueError(value)
    except (ValueError, OverflowError):
        raise UsageError(f"--range {text!r}: {value!r} is not of type {kind.__name__}.", SYNTAX) from None
    low, high = LIMITS.get(name, (-math.inf, math.inf)) if algorithm == "pytorch" else (-math.inf, math.inf)
    if not low <= number <= high:
        raise UsageError(f"--range {text!r}: {name} must be from {low:g} to {high:g}.")
    return number
