"""The KLL quantile sketch: the distribution of any number of values in bounded memory.

Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016. Parameters and the form in JSON are those
of Model Monitor's statistics.json: a value at level i of `data` stands for 2^i values. Up to 2,048 values are all kept;
for a million, ranks are off by about 0.1 %.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Sketch:
    """Values and their weights. The same values in the same order give the same sketch."""

    def __init__(self, k: int = 2048, c: float = 0.64) -> None:
        self.k, self.c = k, c
        self._levels: list[Floats] = [np.empty(0)]
        self._coin = np.random.Generator(np.random.PCG64(0))

    def update(self, values: Floats) -> None:
        """Add `values` float (n,), all finite."""
        self._levels[0] = np.concatenate([self._levels[0], values])
        level = 0
        while level < len(self._levels):
            if len(self._levels[level]) > self._capacity(level):
                self._compact(level)
            level += 1

    @property
    def count(self) -> int:
        """How many values were added."""
        return sum(len(values) << level for level, values in enumerate(self._levels))

    def weighted(self) -> tuple[Floats, NDArray[np.int64]]:
        """The values kept, ascending, float (m,), and how many each stands for, int (m,)."""
        values = np.concatenate(self._levels)
        weights = np.concatenate([np.full(len(v), 1 << level, np.int64) for level, v in enumerate(self._levels)])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def shares(self, points: Floats) -> Floats:
        """The share of values at or below each of `points`, float (m,) in ascending order; the empirical CDF."""
        values, weights = self.weighted()
        below = np.concatenate([[0], np.cumsum(weights)])
        shares: Floats = below[np.searchsorted(values, points, side="right")] / max(1, below[-1])
        return shares

    def share_below(self, point: float) -> float:
        """The share of values below `point`; 0 without values."""
        values, weights = self.weighted()
        return float(weights[values < point].sum() / max(1, weights.sum()))

    def quantiles(self, shares: Floats) -> Floats:
        """The smallest value at which each of `shares` is reached.

        Raises:
            ValueError: there are no values.
        """
        values, weights = self.weighted()
        if not len(values):
            raise ValueError("a sketch of no values has no quantiles")
        reached = np.cumsum(weights) / weights.sum()
        chosen: Floats = values[np.minimum(np.searchsorted(reached, shares - 1e-12), len(values) - 1)]
        return chosen

    def to_json(self) -> dict[str, Any]:
        """`{"parameters": {"c", "k"}, "data": [[level 0], [level 1], ...]}`."""
        return {"parameters": {"c": self.c, "k": float(self.k)}, "data": [level.tolist() for level in self._levels]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Sketch:
        """Read what `to_json` or Model Monitor wrote.

        Raises:
            KeyError, TypeError, ValueError: it is no such object.
        """
        sketch = cls(int(value["parameters"]["k"]), float(value["parameters"]["c"]))
        sketch._levels = [np.array(level, np.float64).reshape(-1) for level in value["data"]] or [np.empty(0)]
        if not all(np.isfinite(level).all() for level in sketch._levels):
            raise ValueError("the sketch holds values that are not finite")
        return sketch

    def _capacity(self, level: int) -> int:
        return max(2, ceil(self.k * self.c ** (len(self._levels) - 1 - level)))

    def _compact(self, level: int) -> None:
        """Let every second value, beginning with the first or the second by chance, stand for two."""
        values = np.sort(self._levels[level])
        odd = len(values) % 2
        self._levels[level] = values[:odd].copy()
        if level + 1 == len(self._levels):
            self._levels.append(np.empty(0))
        kept = values[odd + int(self._coin.integers(2)) :: 2]
        self._levels[level + 1] = np.concatenate([self._levels[level + 1], kept])
