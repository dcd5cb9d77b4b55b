"""How like the training pictures a picture is, whatever it is taken for.

Of two classes one always gets the larger probability, so a picture of a cat can be a sure bicycle. But it shows little
of what the network learned to look for: its last features are weak, or an odd mixture. So its likeness is the largest
projection of these features on the direction of a class, which is the mean of that class's training pictures after each
has been given length 1. A member's scale is the standard deviation of its likeness over the images that it held out;
the ensemble's is the mean over its members.

What is served is where that lies among held-out images of the classes: `unfamiliarity` .95 is a picture that shows less
of its class than 95 % of them do. Compared on the features of cross-validated models (docs/training.md): it let fewer
strangers through than Mahalanobis distances, nearest neighbours, energy or the network's idea of what is upright.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
POINTS = 101
"""Of the distribution that travels with the model: its percentiles."""
UNBIASED: Final = "weibull"
"""How percentiles are estimated: of n held-out images and one more, that one is below the p-quantile with probability p
(Hyndman & Fan 1996, type 6). The usual type 7 finds 5.6 instead of 5 of 100 unfamiliar with n = 160, or 6.1 with 80."""


def directions(features: Array, labels: NDArray[np.int64], classes: int) -> Array:
    """The direction of each class, (features, classes), from training images: features (N, features), labels (N,)."""
    unit = _unit(features)
    return _unit(np.stack([unit[labels == index].mean(axis=0) for index in range(classes)])).T


def of_features(features: Array, towards: Array) -> Array:
    """Likeness (N,) of features (N, features)."""
    largest: Array = (features @ towards).max(axis=1)
    return largest


def scaled(towards: Array, held_out: Array) -> Array:
    """Directions whose likeness varies by 1 over held-out features (N, features), as other members' does."""
    spread = of_features(held_out, towards).std()
    return towards / spread if spread else towards


def of_ensemble(held_out: list[Array]) -> Array:
    """What the ensemble would say of every held-out image; `held_out`: what each member says of those that are its own.

    Only one member has not seen an image: the others are taken to find it as ordinary among theirs as that one does.
    """
    means = [likeness.mean() for likeness in held_out]
    return np.concatenate([likeness - mean + np.mean(means) for likeness, mean in zip(held_out, means, strict=True)])


def percentiles(likeness: Array) -> list[float]:
    """The distribution of held-out likeness, lowest first, as `unfamiliarity` of the serving code reads it."""
    return [float(value) for value in np.quantile(likeness, np.linspace(0, 1, POINTS), method=UNBIASED)]


def share_familiar(held_out: Array, others: Array, limit: float) -> float:
    """Share of `others` that pass an unfamiliarity limit that this share of held-out images passes."""
    return float((others >= np.quantile(held_out, 1 - limit, method=UNBIASED)).mean())


def _unit(rows: Array) -> Array:
    unit: Array = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
