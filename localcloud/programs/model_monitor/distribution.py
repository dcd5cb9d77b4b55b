"""Distributions of numbers as values with weights, in the form of statistics.json, and distances between them."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEPT = 2048
"""The parameter k of AWS's sketches: so many values describe a distribution."""
BUCKETS = 10
CHANCE = 1.8
"""What Robust takes off in units of sqrt((n + m) / nm): the constant of Deequ, which AWS's analyzer runs. Two samples
of one distribution differ by more in 3 of 1,000 cases."""


def described(values: Floats) -> dict[str, Any]:
    """`distribution` of statistics.json: buckets of equal width, and a sketch whose level i counts for 2^i values."""
    ordered = np.sort(values)
    counts, edges = np.histogram(ordered, bins=BUCKETS)
    buckets = [
        {"lower_bound": float(low), "upper_bound": float(high), "count": float(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    level = 0
    while len(ordered) >> level > KEPT:
        level += 1
    kept = ordered[(1 << level) // 2 :: 1 << level]
    sketch = {"parameters": {"c": 0.64, "k": float(KEPT)}, "data": [*([[]] * level), kept.tolist()]}
    return {"kll": {"buckets": buckets, "sketch": sketch}}


def read(distribution: dict[str, Any]) -> tuple[Floats, Floats]:
    """Values in order, and the share of the distribution at or below each."""
    levels = distribution["kll"]["sketch"]["data"]
    values = np.concatenate([np.asarray(level, float) for level in levels])
    weights = np.concatenate([np.full(len(level), 2.0**number) for number, level in enumerate(levels)])
    order = np.argsort(values, kind="stable")
    return values[order], np.cumsum(weights[order]) / max(weights.sum(), 1.0)


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference between two cumulative distributions, 0 to 1."""
    (values, shares), (others, their) = read(one), read(other)
    points = np.union1d(values, others)
    return float(np.abs(_at(points, values, shares) - _at(points, others, their)).max(initial=0.0))


def categorical_distance(one: dict[str, float], other: dict[str, float]) -> float:
    """The largest difference between the shares of a value, 0 to 1."""
    total, their = sum(one.values()) or 1.0, sum(other.values()) or 1.0
    return max((abs(one.get(v, 0) / total - other.get(v, 0) / their) for v in {*one, *other}), default=0.0)


def robust(found: float, n: int, m: int) -> float:
    """A distance between samples of n and m values, less what chance makes."""
    return max(0.0, found - CHANCE * sqrt((n + m) / (n * m)))


def _at(points: Floats, values: Floats, shares: Floats) -> Floats:
    before = np.searchsorted(values, points, side="right")
    found: Floats = np.concatenate([[0.0], shares])[before]
    return found
