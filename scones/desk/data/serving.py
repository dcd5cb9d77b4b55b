"""The endpoint as AWS describes it: in service or not, which version answers, its latency, and the project's alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from pipelines import registry
from project import aws

POINTS = 200
"""Of a latency curve, about; GetMetricStatistics answers with at most 1,440."""


@dataclass(frozen=True)
class Endpoint:
    """`status` as SageMaker has it, or None when there is no endpoint."""

    name: str
    status: str | None
    changed: datetime | None = None
    reason: str = ""
    version: int | None = None
    variants: tuple[str, ...] = ()


def endpoint(name: str) -> Endpoint:
    """The endpoint, and the version that the deploy workflow says is live."""
    with aws.explained(f"describing endpoint {name}"):
        try:
            found = aws.client("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException" and "find" in str(error):
                return Endpoint(name, None)
            raise
    variants = tuple(one["VariantName"] for one in found.get("ProductionVariants", []))
    return Endpoint(
        name,
        found["EndpointStatus"],
        found["LastModifiedTime"],
        found.get("FailureReason", ""),
        live_version(),
        variants,
    )


def live_version() -> int | None:
    """Its number."""
    arn = registry.live()
    return int(arn.rpartition("/")[2]) if arn else None


@dataclass(frozen=True)
class Alarm:
    """One CloudWatch alarm; `state` is OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    what: str
    since: datetime
    reason: str


def alarms(prefix: str) -> list[Alarm]:
    """The alarms whose names begin with `prefix`, those that ring first."""
    with aws.explained(f"listing the alarms {prefix}*"):
        pages = aws.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        found = [
            Alarm(
                one["AlarmName"],
                one["StateValue"],
                one.get("AlarmDescription", ""),
                one["StateUpdatedTimestamp"],
                one.get("StateReason", ""),
            )
            for page in pages
            for one in page["MetricAlarms"]
        ]
    return sorted(found, key=lambda alarm: (alarm.state != "ALARM", alarm.name))


@dataclass(frozen=True)
class LatencyPoint:
    """ModelLatency of a stretch of time, in milliseconds; `when` is its beginning, `count` how many requests it had.

    `p95` is None where CloudWatch has no percentile.
    """

    when: datetime
    mean: float
    most: float
    count: float
    p95: float | None = None


def period(start: datetime, end: datetime) -> int:
    """Seconds that one point of a curve stands for: whole minutes, as CloudWatch has it."""
    return max(60, 60 * -(-int((end - start).total_seconds()) // 60 // POINTS))


def latency(name: str, variant: str, start: datetime, end: datetime) -> list[LatencyPoint]:
    """How long the model took, from CloudWatch, by time; a capture file does not say it."""
    seconds = period(start, end)
    return _latency(name, variant, start - timedelta(seconds=seconds), end, seconds)


def _latency(name: str, variant: str, start: datetime, end: datetime, seconds: int) -> list[LatencyPoint]:
    with aws.explained(f"reading the latency of endpoint {name}"):
        found: list[dict[str, Any]] = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": variant}],
            StartTime=start,
            EndTime=end,
            Period=seconds,
            Statistics=["Average", "Maximum", "SampleCount"],
            ExtendedStatistics=["p95"],
        )["Datapoints"]
    points = [_point(one) for one in found]
    return sorted(points, key=lambda point: point.when)


def _point(one: dict[str, Any]) -> LatencyPoint:
    p95 = one.get("ExtendedStatistics", {}).get("p95")
    return LatencyPoint(
        one["Timestamp"],
        one["Average"] / 1000,
        one["Maximum"] / 1000,
        one["SampleCount"],
        None if p95 is None else p95 / 1000,
    )


@dataclass(frozen=True)
class Load:
    """Requests that a variant's model answered in a stretch of time, and how long 95 of 100 took at most."""

    requests: float
    minutes: float
    p95: float | None

    @property
    def per_minute(self) -> float:
        return self.requests / self.minutes


def load(name: str, variant: str, seconds: int) -> Load:
    """The load of the last `seconds`, a multiple of 60: of whole minutes, as CloudWatch counts."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    points = _latency(name, variant, end - timedelta(seconds=seconds), end, seconds)
    slowest = [one.p95 for one in points if one.p95 is not None]
    return Load(sum(one.count for one in points), seconds / 60, max(slowest, default=None))
