"""The report on what the endpoint captured: its inputs from the account, the page into a folder.

Jobs do not travel with this module.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monitoring.analysis import capture
from monitoring.analysis.analyze import read_baseline
from monitoring.analysis.capture import Window
from monitoring.analysis.environment import job
from monitoring.watch import files
from monitoring.watch.schedule import Attached, attached
from pipelines.runs.live_history import deployments
from project import aws, s3
from project.errors import DataError
from scones.reports import monitor_page
from scones.reports.charts.traffic import LatencyLine
from stepfunctions.threshold import UNFAMILIARITY, current, history

BASELINE = ("statistics.json", "constraints.json")
POINTS = 1000
"""Data points of one metric that CloudWatch gives in one answer, less some."""
QUANTILES = {"p50": "median", "p90": "90% answered within"}


def write_report(start: datetime, end: datetime, folder: Path) -> tuple[Path, monitor_page.TrafficReport]:
    """Write the report on the requests from `start` to `end` into `folder`; its page and what it shows.

    Raises:
        DataError: nothing was captured in that time.
        CloudError: a service refused.
    """
    names, window, watched = aws.names(), Window(start, end), attached()
    with TemporaryDirectory() as scratch:
        traffic, baseline = Path(scratch) / "traffic", Path(scratch) / "baseline"
        if not files.fetch(names.uri("captures", names.endpoint), traffic, window):
            raise DataError(
                f"Endpoint {names.endpoint}: nothing was captured from {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC.",
                "Name a longer window with --hours, or send requests.",
            )
        _fetch_baseline(watched, baseline)
        asked = job(
            {
                "dataset_source": str(traffic),
                "output_path": str(folder),
                "start_time": start.astimezone(UTC).isoformat(),
                "end_time": end.astimezone(UTC).isoformat(),
                "classes": ",".join(names.settings.classes),
                "confidence_threshold": str(current(names.threshold_parameter).value),
                "unfamiliarity_limit": str(current(names.unfamiliarity_parameter, UNFAMILIARITY).value),
                "minimum_records": str(names.settings.monitor.minimum_records),
                "sagemaker_endpoint_name": names.endpoint,
                "sagemaker_monitoring_schedule_name": names.monitor,
                "model_version": str(watched.version) if watched else "",
            }
        )
        found = read_baseline(*(baseline / name for name in BASELINE))
        shown = monitor_page.read_traffic(
            asked,
            found,
            datetime.now(UTC),
            _latency(start, end),
            deployments(names.live_parameter),
            history(names.threshold_parameter),
        )
        return monitor_page.write(shown, folder), shown


def write_report_of(captures: str, window: Window, folder: Path) -> tuple[Path, monitor_page.TrafficReport]:
    """The same of anybody's capture files, below a folder or an `s3://` address: nothing else is asked for.

    Classes are numbered as the answers have them, and there is no baseline to compare with.

    Raises:
        DataError: there is no such folder, or no file of captured traffic in it.
        CloudError: S3 refused.
    """
    with TemporaryDirectory() as scratch:
        source = Path(captures)
        if captures.startswith("s3://"):
            source = Path(scratch)
            files.fetch(captures.rstrip("/"), source, window)
        if not capture.files(source, window):
            raise DataError(
                f"{captures}: there is no file of captured traffic (*.jsonl) in it, or none of that time.",
                "Name the folder, or the s3:// address, that an endpoint captures to.",
            )
        asked = job({"dataset_source": str(source), "output_path": str(folder), **_bounds(window)})
        shown = monitor_page.read_traffic(asked, None, datetime.now(UTC))
        return monitor_page.write(shown, folder), shown


def _bounds(window: Window) -> dict[str, str]:
    edges = {"start_time": window.start, "end_time": window.end}
    return {name: edge.astimezone(UTC).isoformat() for name, edge in edges.items() if edge}


def _fetch_baseline(watched: Attached | None, folder: Path) -> None:
    """The version's own baseline, if it has one."""
    folder.mkdir()
    uris = (watched.statistics, watched.constraints) if watched else ("", "")
    for name, uri in zip(BASELINE, uris, strict=True):
        if uri:
            bucket, key = s3.split(uri)
            with aws.explained(f"reading {uri}"):
                aws.client("s3").download_file(bucket, key, str(folder / name))


def _latency(start: datetime, end: datetime) -> list[LatencyLine]:
    """Median and slowest tenth of the model's answers; nothing when CloudWatch knows neither."""
    period = max(60, int((end - start).total_seconds() // POINTS // 60 + 1) * 60)
    with aws.explained("reading the endpoint's latency"):
        points = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[
                {"Name": "EndpointName", "Value": aws.names().endpoint},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
            StartTime=start,
            EndTime=end,
            Period=period,
            ExtendedStatistics=list(QUANTILES),
        )["Datapoints"]
    points = sorted((p for p in points if "ExtendedStatistics" in p), key=lambda point: point["Timestamp"])
    if not points:
        return []
    time = np.array([point["Timestamp"].timestamp() for point in points])
    measured = {key: np.array([p["ExtendedStatistics"][key] / 1000 for p in points]) for key in QUANTILES}
    return [LatencyLine(name, time, measured[key], dashed=key != "p50") for key, name in QUANTILES.items()]
