"""A run of the monitor that ended: its metrics, and the problems that it found or that are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from typing import Any

from lambdas.alert.problem import AlertProblem
from lambdas.objects import read_json, split
from lambdas.outcomes import FailedError
from lambdas.rounding import beside
from lambdas.service_errors import calling

DATA_NAMESPACE, MODEL_NAMESPACE = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"
OWN_NAMESPACE = "Scones/Monitoring"
VIOLATIONS, HEALTHY, NO_BASELINE = "CompletedWithViolations", "Completed", "NoBaseline"
LOW_CONFIDENCE = "low_confidence"
LEAST_CAPTURED = 0.8
"""Share of the requests that should have been captured; capture is best effort, so some are always missing."""
LEAST_REQUESTS = 30
"""With fewer, one that came at the window's edge would weigh too much."""
MOST_DATA, MOST_POINTS = 500, 1000
"""What CloudWatch takes, and gives, in one call (1,440 points)."""
SHOWN, NAMED = 8, 3
Summary = dict[str, Any]


def summary(s3: Any, job: dict[str, Any]) -> Summary | None:
    """The run's summary.json; None when it wrote none."""
    found: Summary | None = read_json(s3, *_place(job))
    return found


def violations(s3: Any, job: dict[str, Any]) -> list[dict[str, str]]:
    """The entries of the run's constraint_violations.json."""
    bucket, key = _place(job, "constraint_violations.json")
    found = read_json(s3, bucket, key)
    if found is None:
        raise FailedError("IncompleteRun", f"s3://{bucket}/{key} is not there, although the run has a summary.")
    listed: list[dict[str, str]] = found["violations"]
    return listed


def captured_share(cloudwatch: Any, found: Summary, job: dict[str, Any]) -> float | None:
    """Captured requests by those that should have been, of the window.

    None where nothing can be said: for labels, for a window that does not begin and end with a full minute (CloudWatch
    counts by the minute), and for fewer than LEAST_REQUESTS.
    """
    if "records" not in found or not found["window"]["start"]:
        return None
    start, end = (datetime.fromisoformat(found["window"][edge]).astimezone(UTC) for edge in ("start", "end"))
    if start.second or end.second:
        return None
    variant = {"EndpointName": found["endpoint"], "VariantName": "AllTraffic"}
    with calling("reading how often the endpoint was asked"):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[{"Name": name, "Value": value} for name, value in variant.items()],
            StartTime=start,
            EndTime=end,
            Period=60 * ceil((end - start).total_seconds() / 60 / MOST_POINTS),
            Statistics=["Sum"],
        )["Datapoints"]
    asked = sum(point["Sum"] for point in points)
    sampling = float(job["Environment"].get("sampling_percentage", 100)) / 100
    if asked * sampling < LEAST_REQUESTS:
        return None
    return float((found["records"] + found["reading"]["bad"]) / (asked * sampling))


def publish(cloudwatch: Any, found: Summary | None, job: dict[str, Any], share: float | None) -> None:
    """The run's metrics; of a monitoring schedule's job SageMaker has published those of the analysis itself."""
    endpoint = [{"Name": "Endpoint", "Value": job["Environment"]["sagemaker_endpoint_name"]}]
    own: list[dict[str, Any]] = [{"MetricName": "RunsFailed", "Value": float(found is None), "Unit": "Count"}]
    if share is not None:
        own.append({"MetricName": "CaptureRate", "Value": share, "Unit": "None"})
    _put(cloudwatch, OWN_NAMESPACE, [{**one, "Dimensions": endpoint} for one in own])
    if found is not None and not job.get("MonitoringScheduleArn"):
        analysis = [{**one, "Timestamp": datetime.fromisoformat(one["Timestamp"])} for one in found["metrics"]]
        _put(cloudwatch, MODEL_NAMESPACE if "labelled" in found else DATA_NAMESPACE, analysis)


def problems(
    job: dict[str, Any], found: Summary | None, broken: list[dict[str, str]], share: float | None
) -> Iterator[AlertProblem]:
    """What the run says about each problem that a run can see; nothing about those it cannot judge."""
    name = job["ProcessingJobName"]
    log = f"Its log: CloudWatch, log group /aws/sagemaker/ProcessingJobs, streams {name}/…"
    reason = job.get("FailureReason") or f"the job is {job['ProcessingJobStatus']}"
    yield AlertProblem("monitor-failed", found is None, f"Monitor run {name} failed", (reason,), (log,), by_run=True)
    if found is None:
        return
    where, version = _where(job), str(job["Environment"].get("model_version", ""))
    of_run: dict[str, Any] = {"where": where, "version": version, "by_run": True}
    judged = found["outcome"] in {VIOLATIONS, HEALTHY}
    if "labelled" in found:
        if judged:
            yield AlertProblem("model-quality", bool(broken), _quality(broken), _lines(broken), **of_run)
        return
    yield AlertProblem(
        "no-baseline", found["outcome"] == NO_BASELINE, "The monitor has no baseline", (found["message"],), **of_run
    )
    if share is not None:
        seen = beside(share, LEAST_CAPTURED, 0, "%")
        numbers = f"{seen} of the requests that should have been captured were; at least {LEAST_CAPTURED:.0%} must be"
        missed = share < LEAST_CAPTURED
        yield AlertProblem("capture-rate", missed, "Requests are not captured", (numbers,), where, by_run=True)
    if judged:
        whose = f" to version {version}" if version else ""
        unsure = [one for one in broken if one["feature_name"] == LOW_CONFIDENCE]
        others = [one for one in broken if one["feature_name"] != LOW_CONFIDENCE]
        low, before = found["low_confidence_share"] or 0.0, found["baseline_low_confidence_share"] or 0.0
        shares = f"{low:.0%} of the answers are below {found['confidence_threshold']:g}; {before:.0%} on the test set"
        yield AlertProblem(
            "low-confidence", bool(unsure), "The model is unsure more often", (shares, *_lines(unsure)), **of_run
        )
        yield AlertProblem(
            "drift", bool(others), _drift(others), (f"{found['records']} requests{whose}", *_lines(others)), **of_run
        )


def drifted(broken: list[dict[str, str]]) -> list[str]:
    """Names of the features with violations, each once."""
    return list(dict.fromkeys(one["feature_name"] for one in broken))


def _drift(broken: list[dict[str, str]]) -> str:
    return f"Traffic differs from the baseline: {_named(broken)}" if broken else "Traffic is like the baseline"


def _quality(broken: list[dict[str, str]]) -> str:
    return f"The live model is worse than its test set: {_named(broken)}" if broken else "The live model is as tested"


def _named(broken: list[dict[str, str]]) -> str:
    names = drifted(broken)
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _lines(broken: list[dict[str, str]]) -> tuple[str, ...]:
    lines = [f"{one['feature_name']}: {one['description']}" for one in broken[:SHOWN]]
    return (*lines, *([f"and {len(broken) - SHOWN} more"] if len(broken) > SHOWN else []))


def _where(job: dict[str, Any]) -> tuple[str, ...]:
    bucket, key = _place(job, "")
    return (f"s3://{bucket}/{key}", "scones monitor report", "scones dashboard")


def _place(job: dict[str, Any], file: str = "summary.json") -> tuple[str, str]:
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    bucket, prefix = split(uri)
    return bucket, f"{prefix.rstrip('/')}/{file}"


def _put(cloudwatch: Any, namespace: str, data: list[dict[str, Any]]) -> None:
    for first in range(0, len(data), MOST_DATA):
        with calling(f"publishing metrics to {namespace}"):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[first : first + MOST_DATA])
