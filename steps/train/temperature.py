"""One number that turns logits into probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARPEST, SOFTEST = 0.25, 4.0  # bounds: without a single error in few images the best temperature would be 0
ENSEMBLE_FACTORS = {1: 1.0, 2: 0.9, 3: 0.8}
"""Best temperature of the mean of several members' logits, in units of a single member's: averaging removes noise, so
the mean may be trusted more. Those with the lowest expected calibration error in 5-fold cross-validation on 1,000
images: .022 of two members and .021 of three, by fold; 1.0 instead gives .027 and .026. It cannot be fitted in a job,
where one member only has not seen a validation image. More than three members have that of three."""


def negative_log_likelihood(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean surprise, in nats, of logits (N, classes) at the true labels (N,)."""
    top = logits.max(axis=1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((log_sum - logits[np.arange(len(labels)), labels]).mean())


def of_ensemble(single: float, members: int) -> float:
    """The temperature for the mean logits of `members` networks, from that of a single one."""
    return single * ENSEMBLE_FACTORS[min(members, max(ENSEMBLE_FACTORS))]


def fit(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The T for which softmax(logits / T) is most likely to have produced `labels` (Guo et al. 2017, arXiv:1706.04599).

    The likelihood is convex in 1/T, so halving the interval by comparing two inner points finds the one minimum.
    """
    low, high = 1 / SOFTEST, 1 / SHARPEST
    while high - low > 1e-4:
        third = (high - low) / 3
        left, right = low + third, high - third
        if negative_log_likelihood(logits * left, labels) <= negative_log_likelihood(logits * right, labels):
            high = right
        else:
            low = left
    return 2 / (low + high)
