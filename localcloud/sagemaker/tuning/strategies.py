"""Which values a search tries next.

Random   evenly in each range's scale; trial n depends on the seed and on n, so the same seed gives the same trials
Grid     every combination of categorical values, in order
Bayesian the candidate of which a Gaussian process expects most, after a few random trials; it depends on what the
         earlier trials said, and with several jobs in parallel on the order in which they ended
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localcloud.sagemaker.tuning.ranges import Categorical, Range, Values

FIRST_RANDOM_TRIALS = 4
"""So many trials, or one per range if these are more, come before the model is asked."""
CANDIDATES = 600
NEIGHBOURS = 100
"""So many of the candidates lie near the best trial."""
NEIGHBOUR_DEVIATION = 0.1
DRAWS = 1000
"""So often a set that was tried before is drawn again; a space with few sets left then gives one twice."""


@dataclass(frozen=True)
class Trial:
    """A set of values that was tried; `objective`, higher is better, once it is known."""

    values: Values
    objective: float | None = None


def propose(strategy: str, ranges: Sequence[Range], seed: int, trials: Sequence[Trial]) -> Values:
    """The values of the next trial, after `trials` in the order of their numbers."""
    if strategy == "Grid":
        return grid(ranges, len(trials))
    generator = random.Random(f"{seed}/{len(trials)}")  # noqa: S311 - a search, not a secret
    known = [trial for trial in trials if trial.objective is not None]
    if strategy == "Random" or len(known) < max(FIRST_RANDOM_TRIALS, len(ranges)):
        return _unlike(trials, lambda: drawn(ranges, generator))
    return bayesian(ranges, generator, trials)


def drawn(ranges: Sequence[Range], generator: random.Random) -> Values:
    """A random set of values."""
    return {one.name: one.at(generator.random()) for one in ranges}


def grid(ranges: Sequence[Range], index: int) -> Values:
    """Combination `index` of the categorical ranges; the last range changes fastest."""
    values: Values = {}
    for one in reversed(ranges):
        if not isinstance(one, Categorical):
            raise TypeError(f"a grid has categorical ranges only, and {one.name} is none")
        index, place = divmod(index, len(one.values))
        values[one.name] = one.values[place]
    return {one.name: values[one.name] for one in ranges}


def bayesian(ranges: Sequence[Range], generator: random.Random, trials: Sequence[Trial]) -> Values:
    """The candidate with the highest expected improvement.

    A trial without an objective yet is taken to come out as the model predicts (Ginsbourger and others' "kriging
    believer"): jobs in parallel do not all try the same place.
    """
    import numpy as np  # the server does not need it until somebody searches like this

    from localcloud.sagemaker.tuning import gaussian_process as gp

    def located(sets: Sequence[Values]) -> gp.Array:
        return np.array([[c for one in ranges for c in one.coordinates(values[one.name])] for values in sets])

    known = [(trial.values, trial.objective) for trial in trials if trial.objective is not None]
    raw = np.array([objective for _, objective in known])
    values = (raw - raw.mean()) / (raw.std() or 1.0)
    points = located([one for one, _ in known])
    model = gp.fit(points, values)
    pending = [trial.values for trial in trials if trial.objective is None]
    if pending:
        believed = model.predict(located(pending))[0]
        points, values = np.vstack([points, located(pending)]), np.concatenate([values, believed])
        model = gp.fit(points, values)
    best = known[int(raw.argmax())][0]
    near = [_near(ranges, best, generator) for _ in range(NEIGHBOURS)]
    sets = [_unlike(trials, lambda: drawn(ranges, generator)) for _ in range(CANDIDATES - NEIGHBOURS)]
    sets += [values for values in near if values not in [trial.values for trial in trials]]
    improvement = gp.expected_improvement(*model.predict(located(sets)), float(values.max()))
    return sets[int(improvement.argmax())]


def _near(ranges: Sequence[Range], values: Values, generator: random.Random) -> Values:
    """A set of values near `values`: a step in each number, and now and then another category."""
    near: Values = {}
    for one in ranges:
        if isinstance(one, Categorical):
            near[one.name] = one.at(generator.random()) if generator.random() < 0.2 else values[one.name]
        else:
            place = one.coordinates(values[one.name])[0] + generator.gauss(0.0, NEIGHBOUR_DEVIATION)
            near[one.name] = one.at(min(max(place, 0.0), 1.0))
    return near


def _unlike(trials: Sequence[Trial], draw: Callable[[], Values]) -> Values:
    """The first set that `draw` gives and that no trial has; after DRAWS in vain, the last."""
    tried = {tuple(trial.values.items()) for trial in trials}
    for _ in range(DRAWS):
        values = draw()
        if tuple(values.items()) not in tried:
            break
    return values
