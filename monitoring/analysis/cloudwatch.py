"""CloudWatch metrics of an analysis, under the names that Model Monitor's users know.

Dimensions are Endpoint and MonitoringSchedule. SageMaker itself publishes the file of a monitoring schedule's job; of a
processing job that EventBridge Scheduler starts, function Alert publishes the same lines from summary.json when it ends
under "aws/sagemaker/Endpoints/data-metrics" (model quality: "model-metrics").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring.analysis.capture import Tally
from monitoring.analysis.checks import Drift, Violation
from monitoring.analysis.constraints import Constraint
from monitoring.analysis.outcome import Outcome
from monitoring.analysis.profile import FeatureProfile, Profile


def dimensions(endpoint: str, schedule: str) -> list[dict[str, str]]:
    """The two dimensions of every metric."""
    return [{"Name": "Endpoint", "Value": endpoint}, {"Name": "MonitoringSchedule", "Value": schedule}]


def data_metrics(
    profile: Profile,
    drifts: Sequence[Drift],
    violations: Sequence[Violation],
    tally: Tally,
    outcome: Outcome,
    constraints: Mapping[str, Constraint],
) -> list[dict[str, Any]]:
    """Metrics without time and dimensions: one drift, one distribution and one completeness per feature, and counts.

    Nothing is said about drift or violations when there was not enough to judge: a zero would look healthy.
    """
    silent = {name for name, rule in constraints.items() if not rule.config.emit_metrics}
    metrics = [
        value("captured_records", profile.items, "Count"),
        value("unreadable_records", tally.bad, "Count"),
    ]
    for feature in profile.observed().values():
        if feature.name not in silent:
            metrics += _of_feature(feature)
    if outcome.judged:
        metrics += [value(f"feature_baseline_drift_{d.feature}", d.distance) for d in drifts if d.feature not in silent]
        metrics += [
            value("drift_severity", max((d.severity for d in drifts), default=0.0)),
            value("violations", len(violations), "Count"),
        ]
    return metrics


def _of_feature(feature: FeatureProfile) -> list[dict[str, Any]]:
    found = [value(f"feature_non_null_{feature.name}", feature.present / (feature.present + feature.missing))]
    if feature.count and feature.kind != "String":
        statistics = {
            "SampleCount": float(feature.count),
            "Sum": feature.mean * feature.count,
            "Minimum": feature.low,
            "Maximum": feature.high,
        }
        found.append({"MetricName": f"feature_data_{feature.name}", "StatisticValues": statistics, "Unit": "None"})
    return found


def value(name: str, number: float, unit: str = "None") -> dict[str, Any]:
    """One number under a name."""
    return {"MetricName": name, "Value": float(number), "Unit": unit}


def lines(metrics: Sequence[Mapping[str, Any]], when: datetime, endpoint: str, schedule: str) -> list[dict[str, Any]]:
    """`metrics` with their time and dimensions: the lines of the file, and the MetricData of PutMetricData."""
    stamp, where = when.isoformat().replace("+00:00", "Z"), dimensions(endpoint, schedule)
    return [{**metric, "Timestamp": stamp, "Dimensions": where} for metric in metrics]
