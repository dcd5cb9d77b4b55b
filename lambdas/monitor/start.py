"""Action start: the processing job of one run, for the hours that are over (from the schedule) or any window (by hand).

A scheduled run covers everything since the last one, so hours that were missed are caught up once; its name is its
hour, so that two calls for one hour start one job; and it waits for the next hour while another is running.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas import configuration
from lambdas.monitor import program
from lambdas.monitor.traffic import write_manifest
from lambdas.monitor.watching import Watching, WatchRecord, attached, write_attached
from lambdas.objects import split
from lambdas.outcomes import BadInputError, FailedError
from lambdas.service_errors import calling

BASELINE = f"{program.PROCESSING}/input/baseline"
LABELS = f"{program.PROCESSING}/input/ground-truth"
IN_PROGRESS = "InProgress"


def start_scheduled(host: Watching, sagemaker: Any, s3: Any, ssm: Any, now: datetime) -> WatchRecord:
    """Start the run that is due at `now`, if one is."""
    record = attached(ssm)
    if not record:
        return {"outcome": "nothing", "message": "No version is watched."}
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = datetime.fromtimestamp(record["analysed_until"], UTC)
    if end <= start:
        return {"outcome": "nothing", "message": f"Everything until {start:%Y-%m-%d %H:%M} UTC is analysed."}
    with calling("looking for runs under way"):
        under_way = sagemaker.list_processing_jobs(
            NameContains=f"{host.schedule}-2", StatusEquals=IN_PROGRESS, MaxResults=1
        )["ProcessingJobSummaries"]
    if under_way:
        name = under_way[0]["ProcessingJobName"]
        return {"outcome": "nothing", "message": f"{name} is still running; the next run covers this hour as well."}
    name = f"{host.schedule}-{end:%Y%m%d%H}"
    output = f"monitor/{host.endpoint}/{host.schedule}/{end:%Y/%m/%d/%H}"
    answer = _start_job(host, sagemaker, s3, ssm, record, name, output, (start, end), False)
    write_attached(ssm, {**record, "analysed_until": int(end.timestamp())})
    return answer


def start_by_hand(host: Watching, sagemaker: Any, s3: Any, ssm: Any, asked: WatchRecord, now: datetime) -> WatchRecord:
    """Start a run over the window in `asked` (`start`, `end`: ISO 8601), of labels as well with `model_quality`.

    Raises:
        BadInputError: BadWindow.
        FailedError: NothingWatched, or SageMaker refuses.
    """
    record = attached(ssm)
    if not record:
        raise FailedError("NothingWatched", "No version is watched. Attach the monitor: scones monitor schedule on.")
    try:
        start, end = (datetime.fromisoformat(asked[edge]).astimezone(UTC) for edge in ("start", "end"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError("BadWindow", f"The window needs `start` and `end` as ISO 8601: {error!r}.") from None
    if start >= end:
        raise BadInputError("BadWindow", f"The window from {start.isoformat()} to {end.isoformat()} is empty.")
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    quality = bool(asked.get("model_quality"))
    output = f"monitor/{host.endpoint}/by-hand/{stamp}"
    return _start_job(host, sagemaker, s3, ssm, record, f"{host.schedule}-now-{stamp}", output, (start, end), quality)


def _start_job(
    host: Watching,
    sagemaker: Any,
    s3: Any,
    ssm: Any,
    record: WatchRecord,
    name: str,
    output: str,
    window: tuple[datetime, datetime],
    quality: bool,
) -> WatchRecord:
    inputs = list(_inputs(host, s3, record, write_manifest(host, s3, *window, name), quality))
    target = {"S3Uri": f"s3://{host.bucket}/{output}", "LocalPath": program.OUTPUT, "S3UploadMode": "EndOfJob"}
    request = {
        "ProcessingJobName": name,
        "RoleArn": host.role_arn,
        "AppSpecification": program.application(host),
        "ProcessingResources": program.cluster(host),
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "monitoring_output", "S3Output": target}]},
        "StoppingCondition": {"MaxRuntimeInSeconds": program.MAX_SECONDS},
        "Environment": _environment(host, ssm, record, window, quality),
    }
    with calling(f"starting processing job {name}"):
        try:
            sagemaker.create_processing_job(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise
    return {
        "outcome": "ok",
        "job": name,
        "output": target["S3Uri"],
        "window": [moment.isoformat() for moment in window],
        "message": f"{name} analyses {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M} UTC.",
    }


def _inputs(host: Watching, s3: Any, record: WatchRecord, listed: str | None, quality: bool) -> Iterator[WatchRecord]:
    """What there is of traffic, baseline and labels: a job with an input that is missing would not start at all."""
    if listed:
        yield _input("traffic", listed, program.TRAFFIC, "ManifestFile")
    names = ("quality",) if quality else ("statistics", "constraints")
    for name in names:
        if record[name] and _is_there(s3, record[name]):
            yield _input(name, record[name], f"{BASELINE}/{name}")
    if quality:
        labels = f"ground-truth/{host.endpoint}/"
        with calling(f"listing s3://{host.bucket}/{labels}"):
            found = s3.list_objects_v2(Bucket=host.bucket, Prefix=labels, MaxKeys=1).get("KeyCount", 0)
        if found:
            yield _input("labels", f"s3://{host.bucket}/{labels}", LABELS)


def _environment(
    host: Watching, ssm: Any, record: WatchRecord, window: tuple[datetime, datetime], quality: bool
) -> dict[str, str]:
    start, end = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in window)
    values = {
        **program.environment(host, ssm, record),
        "dataset_source": program.TRAFFIC,
        "output_path": program.OUTPUT,
        "start_time": start,
        "end_time": end,
        "publish_cloudwatch_metrics": "Disabled",  # function Alert publishes those of the summary instead
        "sagemaker_endpoint_name": host.endpoint,
        "sagemaker_monitoring_schedule_name": host.schedule,
    }
    if quality:
        values |= {"analysis_type": "MODEL_QUALITY", "ground_truth_source": LABELS}
        values["problem_type"] = (
            "BinaryClassification" if len(configuration.classes()) == 2 else "MulticlassClassification"
        )
        return {**values, "baseline_constraints": f"{BASELINE}/quality/{_file(record['quality'])}"}
    files = {name: f"{BASELINE}/{name}/{_file(record[name])}" for name in ("statistics", "constraints")}
    return {**values, **{f"baseline_{name}": path for name, path in files.items()}}


def _file(uri: str) -> str:
    return uri.rpartition("/")[2] or "none"


def _is_there(s3: Any, uri: str) -> bool:
    bucket, key = split(uri)
    with calling(f"looking for {uri}"):
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
    return True


def _input(name: str, uri: str, path: str, kind: str = "S3Prefix") -> WatchRecord:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}
