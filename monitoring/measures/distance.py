"""How far apart two samples are, as Model Monitor measures it.

Source of the L-infinity distances: Deequ, `analyzers/Distance.scala`, which Model Monitor's analyzer runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
from scipy.special import chdtrc  # scipy.stats.chi2.sf, at a third of the time that scipy.stats takes to import

from monitoring.measures.sketch import Sketch

ROBUST_FACTOR = 1.8
"""Deequ's constant. As a critical value of the two-sample Kolmogorov-Smirnov test, c(alpha) = sqrt(-ln(alpha / 2) / 2),
it belongs to alpha = 2 exp(-2 * 1.8^2) = 0.0031: how often two samples of one distribution differ by more."""
RARE = 10


def linf_simple(base: Sketch, current: Sketch) -> float:
    """max |CDF_base(x) - CDF_current(x)| over all values x of either sketch: the Kolmogorov-Smirnov statistic.

    Raises:
        ValueError: one of them has no values.
    """
    if not (base.count and current.count):
        raise ValueError("a distribution without values has no distance to another")
    points = np.unique(np.concatenate([base.weighted()[0], current.weighted()[0]]))
    return float(np.abs(base.shares(points) - current.shares(points)).max())


def linf_categorical(base: Mapping[str, int], current: Mapping[str, int]) -> float:
    """max |p_base(v) - p_current(v)| over all categories v, from their counts.

    Raises:
        ValueError: one of them has no values.
    """
    n, m = sum(base.values()), sum(current.values())
    if not (n and m):
        raise ValueError("a distribution without values has no distance to another")
    return max(abs(base.get(v, 0) / n - current.get(v, 0) / m) for v in {*base, *current})


def chance(n: int, m: int) -> float:
    """How far samples of `n` and `m` from one distribution may be apart: 1.8 sqrt((n + m) / (n m))."""
    return ROBUST_FACTOR * sqrt((n + m) / (n * m))


def linf_robust(simple: float, n: int, m: int) -> float:
    """`simple` less what chance alone does with samples of `n` and `m`: max(0, simple - 1.8 sqrt((n + m) / (n m)))."""
    return max(0.0, simple - chance(n, m))


def chi_squared_p(base: Mapping[str, int], current: Mapping[str, int]) -> float:
    """How likely counts differ this much or more if both come from one distribution (test of homogeneity).

    Deequ takes the baseline's shares as exact. They are estimates from a test set that is often no larger than the
    window, and taking them as exact there raises false alarms; so both are samples here. Categories that occur less
    than 10 times in both are counted as one, because the distribution holds for large counts only.
    Source: Press et al., "Numerical Recipes", 3rd edition, equation 14.3.3.

    Raises:
        ValueError: one of them has no values.
    """
    n, m = sum(base.values()), sum(current.values())
    if not (n and m):
        raise ValueError("a distribution without values has no distance to another")
    pairs = [(base.get(v, 0), current.get(v, 0)) for v in {*base, *current}]
    common = [pair for pair in pairs if sum(pair) >= RARE]
    rare = (sum(b for b, c in pairs if b + c < RARE), sum(c for b, c in pairs if b + c < RARE))
    counted = [*common, rare] if sum(rare) else common
    statistic = sum((sqrt(m / n) * b - sqrt(n / m) * c) ** 2 / (b + c) for b, c in counted)
    degrees = len(counted) - 1
    return float(chdtrc(degrees, statistic)) if degrees else 1.0
