"""What a model must reach to be registered: bounds on metrics of evaluation.json, each with a pipeline parameter.

Every one of them must hold: AccuracyThreshold; MinimumFromLive, which `scones start` works out from the live model
(live_minimum.py) and which is 0 otherwise; and the `[[gates]]` of scones.toml.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from project.setting_groups import Gate
from project.settings import Settings

MINIMUM_FROM_LIVE = "MinimumFromLive"
ACCURACY = "metrics.accuracy"
_NUMBER = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
_CLAUSE = re.compile(rf"(?P<metric>\S+) is (?P<value>{_NUMBER}), must be at (?P<side>least|most) (?P<bound>{_NUMBER})")


@dataclass(frozen=True)
class Bound:
    """One condition of the gate: the value at `path` of evaluation.json against the parameter of that name."""

    path: str
    side: Literal["least", "most"]
    parameter: str
    default: float
    reason: str = ""

    @property
    def before_value(self) -> str:
        return f"{self.path.removeprefix('metrics.')} is "

    @property
    def before_bound(self) -> str:
        return f", must be at {self.side} "


def bounds(settings: Settings) -> list[Bound]:
    """Every condition of the pipeline's gate, with the default of its parameter."""
    return [
        Bound(ACCURACY, "least", "AccuracyThreshold", settings.accuracy_threshold),
        Bound(ACCURACY, "least", MINIMUM_FROM_LIVE, 0.0, " to be no worse than the live model"),
        *(_chosen(gate) for gate in settings.gates),
    ]


def failed(message: str) -> list[str]:
    """The clauses of QualityTooLow's message whose bound is not kept; nothing for any other message.

    A Fail step can only list every metric with its bound: conditions do not say which of them failed.
    """
    clauses = []
    for clause in message.split("; "):
        found = _CLAUSE.search(clause)
        if found:
            value, bound = float(found["value"]), float(found["bound"])
            if not (value >= bound if found["side"] == "least" else value <= bound):
                clauses.append(clause[found.start() :].rstrip("."))
    return clauses


def _chosen(gate: Gate) -> Bound:
    path = gate.metric if "." in gate.metric else f"metrics.{gate.metric}"
    if gate.at_least is not None:
        return Bound(path, "least", gate.parameter, gate.at_least)
    return Bound(path, "most", gate.parameter, float(gate.at_most or 0.0))
