"""The monitor's runs, as their reports in S3 tell them, and the distributions that a run compared."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.analysis.checks import Drift
from monitoring.analysis.features import BY_NAME
from monitoring.analysis.outcome import Outcome
from monitoring.analysis.profile import FeatureProfile, Profile, from_statistics
from pipelines import registry
from project.errors import DataError
from project.s3 import split
from scones.desk.data.objects import body, listed

REPORT = "/summary.json"
AT_ONCE = 16
MOST_RUNS = 500
"""Latest runs that are shown; hourly ones of three weeks."""
BINS = 30


@dataclass(frozen=True)
class MonitorRun:
    """One run of the monitor, about one version; its files lie in `folder`. Without a verdict there are no drifts.

    `window` is the time that it judged, from and until; None where the run was told no bound.
    """

    folder: str
    when: datetime
    outcome: Outcome
    message: str
    schedule: str
    records: int
    drifts: tuple[Drift, ...]
    violations: int
    version: int | None = None
    window: tuple[datetime | None, datetime | None] = (None, None)


class Runs:
    """Reports below one prefix of one bucket. A report never changes, so each is read once; any thread may call."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket, self.prefix = bucket, prefix
        self._read: dict[str, MonitorRun | None] = {}
        self._lock = threading.Lock()
        self.problems: list[str] = []

    def all(self) -> list[MonitorRun]:
        """The latest runs on data quality, oldest first; what cannot be read is among `problems`.

        Raises:
            SconesError: S3 refused or did not answer.
        """
        with self._lock:
            there = sorted(
                (one for one in listed(self.bucket, self.prefix) if one.key.endswith(REPORT)),
                key=lambda one: one.modified,
            )[-MOST_RUNS:]
            fresh = [one.key for one in there if one.key not in self._read]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                contents = pool.map(lambda key: body(self.bucket, key), fresh)
                for key, content in zip(fresh, contents, strict=True):
                    if content is not None:
                        self._read[key] = self._parsed(key, content)
            found = (self._read.get(one.key) for one in there)
            return sorted((run for run in found if run), key=lambda run: run.when)

    def _parsed(self, key: str, content: bytes) -> MonitorRun | None:
        try:
            return parsed(key.removesuffix(REPORT), json.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            self.problems.append(f"s3://{self.bucket}/{key}: {type(error).__name__}: {error}")
            return None


def parsed(folder: str, document: Mapping[str, Any]) -> MonitorRun | None:
    """A run's summary.json; None for a run on model quality, which knows no drift.

    Raises:
        ValueError, KeyError, TypeError: it is no such document.
    """
    if "drift" not in document:
        return None
    names = [field.name for field in fields(Drift)]
    return MonitorRun(
        folder=folder,
        when=datetime.fromisoformat(document["analysed_at"]),
        outcome=Outcome(document["outcome"]),
        message=document["message"],
        schedule=document.get("schedule", ""),
        records=int(document["records"]),
        drifts=tuple(Drift(**{name: drift[name] for name in names}) for drift in document["drift"]),
        violations=int(document["violations"]),
        version=int(document["version"]) if document.get("version") else None,
        window=(_moment(document, "start"), _moment(document, "end")),
    )


def _moment(document: Mapping[str, Any], edge: str) -> datetime | None:
    told = document.get("window", {}).get(edge)
    return datetime.fromisoformat(told) if told else None


def violations(bucket: str, run: MonitorRun) -> list[dict[str, str]]:
    """The run's constraint_violations.json; none when it is gone.

    Raises:
        DataError: it is not in Model Monitor's form.
    """
    content = body(bucket, f"{run.folder}/constraint_violations.json")
    if content is None:
        return []
    try:
        found: list[dict[str, str]] = json.loads(content)["violations"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{run.folder}/constraint_violations.json: {type(error).__name__}: {error}.") from None
    return found


def current(bucket: str, run: MonitorRun) -> Profile | None:
    """The distributions that the run found; None when the file is gone.

    Raises:
        DataError: it is not in Model Monitor's form.
    """
    return _profile(bucket, f"{run.folder}/statistics.json")


def baseline(version: int | None = None) -> Profile | None:
    """The distributions of a version's test set, the live one's unless another is named.

    None while nothing is live, or when nothing was registered.

    Raises:
        DataError: the file is not in Model Monitor's form.
    """
    package = registry.live_package(version)
    uri = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {}).get("Statistics", {}).get("S3Uri")
    return _profile(*split(uri)) if uri else None


def baseline_mix(version: int | None = None) -> dict[str, int]:
    """How often each class was predicted in the baseline; empty without one.

    Raises:
        DataError: the file is not in Model Monitor's form.
    """
    found = baseline(version)
    return dict(found.features["predicted_class"].categories) if found and "predicted_class" in found.features else {}


def _profile(bucket: str, key: str) -> Profile | None:
    content = body(bucket, key)
    if content is None:
        return None
    try:
        document = json.loads(content)
    except ValueError as error:
        raise DataError(f"s3://{bucket}/{key} is not JSON: {error}.", "Run the monitor again.") from None
    return from_statistics(document, f"s3://{bucket}/{key}")


@dataclass(frozen=True)
class Overlay:
    """Baseline and current shares of one feature, over bins (`edges`) or over `names`; float (bins,) each."""

    feature: str
    meaning: str
    edges: NDArray[np.float64] | None
    names: tuple[str, ...]
    then: NDArray[np.float64] | None
    now: NDArray[np.float64] | None


def overlay(feature: str, then: FeatureProfile | None, now: FeatureProfile | None) -> Overlay | None:
    """Both distributions over the same bins; a side without values is None, and without any there is no overlay."""
    sides = [side for side in (then, now) if side is not None and side.count]
    if not sides:
        return None
    meaning = BY_NAME[feature].meaning if feature in BY_NAME else ""
    if sides[0].kind == "String":
        names = tuple(sorted(set().union(*(side.categories for side in sides))))
        return Overlay(feature, meaning, None, names, _by_name(then, names), _by_name(now, names))
    low, high = min(side.low for side in sides), max(side.high for side in sides)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    return Overlay(feature, meaning, edges, (), _by_bin(then, edges), _by_bin(now, edges))


def _by_name(side: FeatureProfile | None, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    if side is None or not side.count:
        return None
    return np.array([side.categories[name] / side.count for name in names])


def _by_bin(side: FeatureProfile | None, edges: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if side is None or not side.count:
        return None
    reached = side.sketch.shares(edges[1:])
    return np.diff(reached, prepend=0.0)
