"""Data quality: statistics of every column, the constraints that they suggest, and where data breaks constraints.

"Schema for Statistics", "Schema for Constraints" and "Schema for Violations" in the developer guide. Not documented,
and ours: a column of text has a domain when it has at most MOST_VALUES values, each ten times on average.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from localcloud.programs.model_monitor import distribution
from localcloud.programs.model_monitor.table import Columns

MOST_VALUES = 50
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
FITS = {"Integral": _INTEGER, "Fractional": _NUMBER}
MONITORING = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    },
}
OVERRIDES = ("monitoringConfigOverrides", "monitoring_config_overrides")
"""How the guide writes the key, and how the SDK's Constraints.set_monitoring does."""
SHOWN = 5


def profile(columns: Columns, environment: Mapping[str, str]) -> dict[str, Any]:
    """statistics.json of a table."""
    rows = len(next(iter(columns.values())))
    features = [_feature(name, cells) for name, cells in columns.items()]
    return {"version": 0.0, "dataset": {"item_count": rows}, "features": features}


def _feature(name: str, cells: list[str]) -> dict[str, Any]:
    present = [cell for cell in cells if cell.strip()]
    common = {"num_present": len(present), "num_missing": len(cells) - len(present)}
    kind = next((kind for kind, form in FITS.items() if present and all(map(form.fullmatch, present))), "String")
    if not present:
        return {"name": name, "inferred_type": "Unknown", "string_statistics": {"common": common, "distinct_count": 0}}
    if kind == "String":
        counts = Counter(present)
        buckets = [{"value": value, "count": count} for value, count in sorted(counts.items())]
        spread = {"categorical": {"buckets": buckets}}
        text = {"common": common, "distinct_count": float(len(counts)), "distribution": spread}
        return {"name": name, "inferred_type": kind, "string_statistics": text}
    values = np.asarray([float(cell) for cell in present])
    numbers = {
        "common": common,
        "mean": float(values.mean()),
        "sum": float(values.sum()),
        "std_dev": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
        "distribution": distribution.described(values),
    }
    return {"name": name, "inferred_type": kind, "numerical_statistics": numbers}


def suggested(statistics: dict[str, Any]) -> dict[str, Any]:
    """constraints.json for tables like the one that these statistics are of."""
    return {
        "version": 0.0,
        "features": [_constraint(feature) for feature in statistics["features"]],
        "monitoring_config": MONITORING,
    }


def _constraint(feature: dict[str, Any]) -> dict[str, Any]:
    found = {"name": feature["name"], "inferred_type": feature["inferred_type"], "completeness": _share(feature)}
    if numbers := feature.get("numerical_statistics"):
        return {**found, "num_constraints": {"is_non_negative": numbers["min"] >= 0}}
    counts = _categories(feature)
    if 0 < len(counts) <= MOST_VALUES and sum(counts.values()) >= 10 * len(counts):
        return {**found, "string_constraints": {"domains": sorted(counts)}}
    return found


def violations(
    columns: Columns, statistics: dict[str, Any], baseline: dict[str, Any], constraints: dict[str, Any]
) -> Iterator[dict[str, str]]:
    """Where a table with these statistics breaks constraints; `baseline` is the statistics that they came with."""
    now = {feature["name"]: feature for feature in statistics["features"]}
    then = {feature["name"]: feature for feature in baseline.get("features", [])}
    rules = {rule["name"]: rule for rule in constraints["features"]}
    for name in (name for name in now if name not in rules):
        yield _violation(name, "extra_column_check", f"Column {name} is not in the baseline.")
    for name, rule in rules.items():
        config = _config(constraints.get("monitoring_config", {}), rule)
        if config.get("evaluate_constraints", "Enabled") != "Enabled":
            continue
        if name not in now:
            yield _violation(name, "missing_column_check", f"Column {name} of the baseline is missing.")
            continue
        for check, text in _broken(rule, config, now[name], columns[name], then.get(name)):
            yield _violation(name, check, text)


def _broken(
    rule: dict[str, Any],
    config: dict[str, Any],
    feature: dict[str, Any],
    cells: list[str],
    before: dict[str, Any] | None,
) -> Iterator[tuple[str, str]]:
    present = [cell for cell in cells if cell.strip()]
    form = FITS.get(rule["inferred_type"])
    share, threshold = _share(feature), config.get("datatype_check_threshold", 1.0)
    if share < rule.get("completeness", 0.0):
        text = f"Expected: {rule['completeness']:.4g}. Observed: {share:.4g}."
        yield "completeness_check", f"Completeness requirement is not met. {text}"
    match = sum(bool(form.fullmatch(cell)) for cell in present) / len(present) if form and present else 1.0
    if match < threshold:
        kind = rule["inferred_type"]
        seen = f"Observed: Only {match:.2%} of data is {kind}."
        text = f"Expected data type: {kind}, Expected match: {threshold:.1%}. {seen}"
        yield "data_type_check", f"Data type match requirement is not met. {text}"
        return
    domain = rule.get("string_constraints", {}).get("domains")
    known = sum(cell in set(domain) for cell in present) / len(present) if domain and present else 1.0
    if domain and known < config.get("domain_content_threshold", 1.0):
        strange = ", ".join(sorted(set(present) - set(domain))[:SHOWN])
        text = f"Value(s) not in the domain: {strange}. Observed: Only {known:.2%} of values are known."
        yield "categorical_values_check", text
    if before:
        yield from _drift(config.get("distribution_constraints", {}), feature, before)


def _drift(config: dict[str, Any], now: dict[str, Any], then: dict[str, Any]) -> Iterator[tuple[str, str]]:
    numbers, before = now.get("numerical_statistics"), then.get("numerical_statistics")
    counts, counted = _categories(now), _categories(then)
    threshold = config.get("comparison_threshold", 0.1)
    if config.get("perform_comparison", "Enabled") != "Enabled":
        return
    if numbers and before:
        found = distribution.distance(numbers["distribution"], before["distribution"])
        n, m = numbers["common"]["num_present"], before["common"]["num_present"]
    elif counts and counted and len({*counts, *counted}) <= MOST_VALUES:
        found = distribution.categorical_distance(counts, counted)
        n, m = int(sum(counts.values())), int(sum(counted.values()))
        threshold = config.get("categorical_comparison_threshold", threshold)
    else:
        return
    if str(config.get("comparison_method", "Robust")).lower().endswith("robust"):
        found = distribution.robust(found, n, m)
    if found > threshold:
        yield "baseline_drift_check", f"Baseline drift distance: {found:.4f} exceeds threshold: {threshold:g}"


def _config(shared: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """monitoring_config with what the feature overrides."""
    own: dict[str, Any] = next((rule[name] for name in OVERRIDES if rule.get(name)), {})
    spread = {**shared.get("distribution_constraints", {}), **own.get("distribution_constraints", {})}
    return {**shared, **own, "distribution_constraints": spread}


def _share(feature: dict[str, Any]) -> float:
    common = (feature.get("numerical_statistics") or feature["string_statistics"])["common"]
    return float(common["num_present"] / max(1, common["num_present"] + common["num_missing"]))


def _categories(feature: dict[str, Any]) -> dict[str, float]:
    spread = feature.get("string_statistics", {}).get("distribution", {}).get("categorical", {})
    return {bucket["value"]: bucket["count"] for bucket in spread.get("buckets", [])}


def _violation(name: str, check: str, text: str) -> dict[str, str]:
    return {"feature_name": name, "constraint_check_type": check, "description": text}
