"""constraints.json in Model Monitor's form: what traffic must be like, suggested from a baseline.

Schema: Model Monitor's developer guide, "Schema for Constraints". Anything in `monitoring_config` may be overridden for
one feature by its `monitoringConfigOverrides`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from monitoring.analysis.features import BY_NAME
from monitoring.analysis.profile import FeatureProfile, Profile
from project.errors import DataError

COMPARISON_THRESHOLD = 0.05
"""Robust distance from which a feature has drifted. Robust takes off what chance does at the sizes at hand; this is how
much more than chance matters: without it, at 10,000 records, a shift of 2 % of the pictures would be an alarm."""
CATEGORICAL_P = 0.003
"""Chi-squared p-value below which categories have drifted: as rare by chance as what Robust takes off (0.0031), so that
ten features together raise a false alarm in at most 3 of 100 windows (Bonferroni)."""
MATCH = 0.99
"""Share of values that must have the right type, and be of a known category: one damaged line in 200 is no alarm."""

NOT_COMPARED = {
    "bytes": "depends on who compressed the picture",
    "mode": "is checked against known values",
}
REDUNDANT_FOR_TWO = {"margin": "confidence", "entropy": "confidence"}
"""With two classes these are monotone functions of the confidence: the same test three times."""

OVERRIDES = ("monitoringConfigOverrides", "monitoring_config_overrides")
"""How the guide writes the key, and how the SageMaker SDK's Constraints.set_monitoring does."""
METHODS = {"simple": "Simple", "robust": "Robust", "linf_simple": "Simple", "linf_robust": "Robust"}
"""How files and prose spell the two distances; both occur."""


@dataclass(frozen=True)
class Config:
    """The rules for one feature: monitoring_config with the feature's overrides."""

    evaluate: bool
    emit_metrics: bool
    datatype_threshold: float
    domain_threshold: float
    compare: bool
    comparison_threshold: float
    method: str
    categorical_threshold: float
    categorical_method: str


@dataclass(frozen=True)
class Constraint:
    """What one feature must be like; `completeness` is the least share of records that have it, `domain` in order."""

    name: str
    kind: str
    completeness: float
    domain: tuple[str, ...]
    config: Config


def suggested(baseline: Profile, classes: Sequence[str]) -> dict[str, Any]:
    """constraints.json for traffic like `baseline`; the domain of predicted_class is `classes`, in their order."""
    return {
        "version": 0.0,
        "features": [_suggested(feature, classes) for feature in baseline.observed().values()],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Disabled",  # three metrics for each feature, which bill by the month
            "datatype_check_threshold": MATCH,
            "domain_content_threshold": MATCH,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": COMPARISON_THRESHOLD,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": CATEGORICAL_P,
                "categorical_drift_method": "ChiSquared",
            },
        },
    }


def _suggested(feature: FeatureProfile, classes: Sequence[str]) -> dict[str, Any]:
    share = feature.present / max(1, feature.present + feature.missing)
    is_optional = feature.name in BY_NAME and BY_NAME[feature.name].part == "likeness"
    entry: dict[str, Any] = {
        "name": feature.name,
        "inferred_type": feature.kind if feature.count else "Unknown",
        # A sampled or damaged request now and then is no alarm, and a baseline is complete. What is said of likeness
        # need not be there: who asks for application/json gets it in a header, which capture does not keep.
        "completeness": 0.0 if is_optional else round(MATCH * share, 4),
    }
    if feature.kind == "String":
        domain = list(classes) if feature.name == "predicted_class" else sorted(feature.categories)
        entry["string_constraints"] = {"domains": domain}
    else:
        entry["num_constraints"] = {"is_non_negative": feature.low >= 0}
    redundant = len(classes) == 2 and feature.name in REDUNDANT_FOR_TWO
    if feature.name in NOT_COMPARED or redundant:
        entry["monitoringConfigOverrides"] = {"distribution_constraints": {"perform_comparison": "Disabled"}}
    return entry


def parse(document: Mapping[str, Any], source: str) -> dict[str, Constraint]:
    """Read constraints.json into rules by feature; `source` names the file in errors.

    Raises:
        DataError: it is not in Model Monitor's form, or names an unknown method.
    """
    try:
        return {
            entry["name"]: _constraint(entry, document.get("monitoring_config", {})) for entry in document["features"]
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{source}: not constraints in Model Monitor's form ({type(error).__name__}: {error}).",
            "Use the file that the pipeline's Evaluate step wrote, and change numbers only.",
        ) from None


def _constraint(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> Constraint:
    return Constraint(
        name=entry["name"],
        kind=entry["inferred_type"],
        completeness=_number(entry.get("completeness", 0.0)),
        domain=tuple(entry.get("string_constraints", {}).get("domains", ())),
        config=_config(_merged(shared, *(entry.get(key) or {} for key in OVERRIDES))),
    )


def _number(value: Any) -> float:
    """`value` as a number; nothing is ever beyond a threshold of NaN."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a threshold of {number}")
    return number


def _config(config: Mapping[str, Any]) -> Config:
    distribution = config.get("distribution_constraints", {})
    method = METHODS[str(distribution.get("comparison_method", "Robust")).lower()]
    categorical = distribution.get("categorical_drift_method", "LInfinity")
    if categorical not in ("LInfinity", "ChiSquared"):
        raise ValueError(f"categorical_drift_method {categorical!r}")
    threshold = _number(distribution.get("comparison_threshold", 0.1))
    return Config(
        evaluate=config.get("evaluate_constraints", "Enabled") == "Enabled",
        emit_metrics=config.get("emit_metrics", "Enabled") == "Enabled",
        datatype_threshold=_number(config.get("datatype_check_threshold", 1.0)),
        domain_threshold=_number(config.get("domain_content_threshold", 1.0)),
        compare=distribution.get("perform_comparison", "Enabled") == "Enabled",
        comparison_threshold=threshold,
        method=method,
        categorical_threshold=_number(distribution.get("categorical_comparison_threshold", threshold)),
        categorical_method=categorical,
    )


def _merged(shared: Mapping[str, Any], *overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(shared))
    for override in overrides:
        for key, value in override.items():
            merged[key] = _merged(merged.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def classes_of(constraints: Mapping[str, Constraint]) -> tuple[str, ...]:
    """The classes in the order of the probabilities, as the baseline knows them; empty if it does not."""
    found = constraints.get("predicted_class")
    return found.domain if found else ()
