"""The distribution of every feature, gathered batch by batch, and as Model Monitor's statistics.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from monitoring.analysis.features import BY_NAME, MISSING, UNUSABLE, Columns, Floats, Kind
from monitoring.measures.sketch import Sketch
from project.errors import DataError

BUCKETS = 10


@dataclass
class FeatureProfile:
    """One feature. `count` values are usable; `unusable` ones are there but not of the feature's type.

    Attributes:
        squares: sum of squared deviations from the mean.
        categories: how often each text occurred, for kind String.
    """

    name: str
    kind: Kind
    count: int = 0
    missing: int = 0
    unusable: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    sketch: Sketch = field(default_factory=Sketch)
    categories: Counter[str] = field(default_factory=Counter)

    @property
    def present(self) -> int:
        """Values that are there, usable or not."""
        return self.count + self.unusable

    @property
    def deviation(self) -> float:
        """Population standard deviation; 0 without values."""
        return sqrt(self.squares / self.count) if self.count else 0.0

    def add_numbers(self, values: Floats) -> None:
        """Add finite values. Means are merged as in Chan, Golub and LeVeque, 1979: exact over any number of batches."""
        if not len(values):
            return
        mean, n = float(values.mean()), len(values)
        apart, total = mean - self.mean, self.count + n
        self.squares += float(((values - mean) ** 2).sum()) + apart * apart * self.count * n / total
        self.mean += apart * n / total
        self.count = total
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.sketch.update(values)

    def add_texts(self, values: list[str]) -> None:
        """Add texts."""
        self.categories.update(values)
        self.count += len(values)


@dataclass
class Profile:
    """All features of `items` records; a feature that no record has is not among `features`."""

    items: int = 0
    features: dict[str, FeatureProfile] = field(default_factory=dict)

    def add(self, columns: Columns) -> None:
        """Add a batch."""
        self.items += len(columns)
        for name, values in columns.values.items():
            feature = BY_NAME[name]
            profile = self.features.get(name) or FeatureProfile(name, feature.kind)
            state = columns.states[feature.part]
            profile.missing += int(np.count_nonzero(state == MISSING))
            profile.unusable += int(np.count_nonzero(state == UNUSABLE))
            if feature.kind == "String":
                profile.add_texts([text for text in values if text is not None])
            else:
                profile.add_numbers(values[np.isfinite(values)])
            self.features[name] = profile

    def observed(self) -> dict[str, FeatureProfile]:
        """The features that at least one record has, usable or not: the dataset's columns."""
        return {name: profile for name, profile in self.features.items() if profile.present}


def to_statistics(profile: Profile) -> dict[str, Any]:
    """statistics.json: schema in Model Monitor's developer guide, "Schema for Statistics"."""
    return {
        "version": 0.0,
        "dataset": {"item_count": profile.items},
        "features": [_statistics(feature) for feature in profile.observed().values()],
    }


def _statistics(feature: FeatureProfile) -> dict[str, Any]:
    common = {"num_present": feature.present, "num_missing": feature.missing}
    if not feature.count:  # nothing but unusable values: no type can be told
        return {"name": feature.name, "inferred_type": "Unknown"}
    if feature.kind == "String":
        buckets = [{"value": text, "count": n} for text, n in sorted(feature.categories.items())]
        return {
            "name": feature.name,
            "inferred_type": "String",
            "string_statistics": {
                "common": common,
                "distinct_count": len(buckets),
                "distribution": {"categorical": {"buckets": buckets}},
            },
        }
    return {
        "name": feature.name,
        "inferred_type": feature.kind,
        "numerical_statistics": {
            "common": common,
            "mean": feature.mean,
            "sum": feature.mean * feature.count,
            "std_dev": feature.deviation,
            "min": feature.low,
            "max": feature.high,
            "distribution": {"kll": {"buckets": _buckets(feature), "sketch": feature.sketch.to_json()}},
        },
    }


def _buckets(feature: FeatureProfile) -> list[dict[str, Any]]:
    """Ten equal widths from the least to the greatest value; the last includes its upper bound."""
    values, weights = feature.sketch.weighted()
    edges = np.linspace(feature.low, feature.high, BUCKETS + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BUCKETS - 1)
    counts = np.bincount(place, weights, BUCKETS)
    return [
        {"lower_bound": float(edges[b]), "upper_bound": float(edges[b + 1]), "count": float(counts[b])}
        for b in range(BUCKETS)
    ]


def from_statistics(document: Mapping[str, Any], source: str) -> Profile:
    """Read statistics.json; features that we do not know are kept too. `source` names the file in errors.

    Raises:
        DataError: it is not in Model Monitor's form, or a numeric feature has no sketch.
    """
    try:
        profile = Profile(int(document["dataset"]["item_count"]))
        for entry in document["features"]:
            profile.features[entry["name"]] = _feature(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{source}: not statistics in Model Monitor's form ({type(error).__name__}: {error}).",
            "Use the file that the pipeline's Evaluate step wrote.",
        ) from None
    return profile


def _feature(entry: Mapping[str, Any]) -> FeatureProfile:
    kind = entry["inferred_type"]
    feature = FeatureProfile(entry["name"], kind)
    if kind == "String":
        statistics = entry["string_statistics"]
        buckets = statistics["distribution"]["categorical"]["buckets"]
        feature.categories = Counter({bucket["value"]: int(bucket["count"]) for bucket in buckets})
        feature.count = feature.categories.total()
    elif kind in ("Fractional", "Integral"):
        statistics = entry["numerical_statistics"]
        feature.sketch = Sketch.from_json(statistics["distribution"]["kll"]["sketch"])
        feature.count = feature.sketch.count
        feature.mean, feature.low, feature.high = statistics["mean"], statistics["min"], statistics["max"]
        feature.squares = statistics["std_dev"] ** 2 * feature.count
    else:
        return feature
    feature.missing = int(statistics["common"]["num_missing"])
    feature.unusable = max(0, int(statistics["common"]["num_present"]) - feature.count)
    return feature
