"""CloudWatch metrics of an analysis, under the names that Model Monitor's users know.

Dimensions are Endpoint and MonitoringSchedule. SageMaker itself publishes the file of a monitoring schedule's job; of a
processing job that EventBridge Scheduler starts, function Alert publishes the same lines from summary.json when it ends
under "aws/sagemaker/Endpoints/data-metrics" (model quality: "model-metrics").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring.analysis.checks import LOW_CONFIDENCE, UNFAMILIAR, Drift
from monitoring.analysis.constraints import Constraint
from monitoring.analysis.outcome import Outcome
from monitoring.analysis.profile import FeatureProfile, Profile

SHARES = {f"feature_data_{LOW_CONFIDENCE}", f"feature_data_{UNFAMILIAR}"}
"""Their averages are the shares that are not routed, for either reason."""


def dimensions(endpoint: str, schedule: str) -> list[dict[str, str]]:
    """The two dimensions of every metric."""
    return [{"Name": "Endpoint", "Value": endpoint}, {"Name": "MonitoringSchedule", "Value": schedule}]


def data_metrics(
    profile: Profile,
    drifts: Sequence[Drift],
    outcome: Outcome,
    constraints: Mapping[str, Constraint],
) -> list[dict[str, Any]]:
    """Metrics without time and dimensions: those that alarms and the dashboard look at, for each bills by the month.

    A feature's own (drift, distribution, completeness) are added where its constraints say emit_metrics Enabled.
    Nothing is said about drift when there was not enough to judge: a zero would look healthy.
    """
    features = profile.observed().values()
    asked = {name for name, rule in constraints.items() if rule.config.emit_metrics}
    metrics = [
        metric
        for feature in features
        for metric in _of_feature(feature)
        if feature.name in asked or metric["MetricName"] in SHARES
    ]
    if outcome.judged:
        metrics += [value(f"feature_baseline_drift_{d.feature}", d.distance) for d in drifts if d.feature in asked]
        metrics.append(value("drift_severity", max((d.severity for d in drifts), default=0.0)))
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
