"""A Gaussian process over the unit cube and the improvement that it expects: the model of Bayesian search.

Kernel and equations: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.25, 2.26, 2.30
and 4.17 (Matérn, 5/2). Expected improvement: Jones, Schonlau and Welch (1998), equation 15.

Written here because scikit-learn is no dependency of the local cloud: a search has tens of points, numpy fits them in
milliseconds, and a library of a hundred megabytes would come with it for these 50 lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Lengths to choose from, in units of the cube's side."""
NOISES = (1e-4, 1e-2, 1e-1)
"""Variances of a training's luck to choose from, in units of the objective's variance."""


@dataclass(frozen=True)
class GaussianProcess:
    """What is known after some points, for an objective of mean 0 and variance 1.

    Attributes:
        points: (n, dimensions).
        lower: (n, n), Cholesky factor of the points' covariance with noise.
        weights: (n,), the covariance's inverse times the values.
        lengths: (dimensions,), how far one must go for the objective to be another.
    """

    points: Array
    lower: Array
    weights: Array
    lengths: Array

    def predict(self, at: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, (m,) each, of the objective without noise at `at`, (m, dimensions)."""
        across = matern(at, self.points, self.lengths)
        solved = np.linalg.solve(self.lower, across.T)
        variance = 1.0 - np.einsum("ij,ij->j", solved, solved)
        return across @ self.weights, np.sqrt(np.maximum(variance, 1e-12))


def matern(a: Array, b: Array, lengths: Array) -> Array:
    """Covariance of the objective between the points `a` (n, d) and `b` (m, d): Matérn, 5/2."""
    scaled = math.sqrt(5.0) * np.linalg.norm((a[:, None, :] - b[None, :, :]) / lengths, axis=2)
    covariance: Array = (1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled)
    return covariance


def fit(points: Array, values: Array) -> GaussianProcess:
    """The process whose lengths and noise make the values most likely: first one length for all, then each by itself.

    `points`: (n, dimensions) in the unit cube; `values`: (n,), standardised.
    """
    dimensions = points.shape[1]
    equal = [(np.full(dimensions, length), noise) for length in LENGTHS for noise in NOISES]
    best, noise = max(
        ((fitted(points, values, lengths, noise), noise) for lengths, noise in equal), key=lambda one: one[0][0]
    )
    for dimension in range(dimensions):
        lengths = [np.where(np.arange(dimensions) == dimension, length, best[1].lengths) for length in LENGTHS]
        best = max((fitted(points, values, one, noise) for one in lengths), key=lambda one: one[0])
    return best[1]


def fitted(points: Array, values: Array, lengths: Array, noise: float) -> tuple[float, GaussianProcess]:
    """The logarithm of the marginal likelihood, up to a constant, and the process."""
    lower: Array = np.linalg.cholesky(matern(points, points, lengths) + noise * np.eye(len(points)))
    weights: Array = np.linalg.solve(lower.T, np.linalg.solve(lower, values))
    likelihood = -0.5 * float(values @ weights) - float(np.log(np.diag(lower)).sum())
    return likelihood, GaussianProcess(points, lower, weights, lengths)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """How much above `best` the objective is expected to be; 0 where it is below. All (m,)."""
    above = mean - best
    z = above / deviation
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    share = np.array([0.5 * math.erfc(-one / math.sqrt(2.0)) for one in z])
    improvement: Array = above * share + deviation * density
    return improvement
