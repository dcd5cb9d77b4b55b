"""The processing job of one execution, as Model Monitor makes it for a container of one's own.

Sources: "Container contract inputs" in the developer guide, and what DescribeProcessingJob says of such jobs on AWS: an
input for each hour that was captured, and one for either file of the baseline.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.monitoring.cron import HOUR, iso
from localcloud.sagemaker.monitoring.definitions import MonitoringDefinition, baseline, plan_of
from localcloud.sagemaker.store import Body

STATISTICS = "/opt/ml/processing/baseline/stats"
CONSTRAINTS = "/opt/ml/processing/baseline/constraints"
CAPTURE_FORMAT = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
MERGE_FORMAT = {"sagemakerMergeJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}


@dataclass(frozen=True)
class AnalysisWindow:
    """From `start`, inclusive, to `end`, exclusive, in epoch seconds."""

    start: float
    end: float


def captured(cloud: Cloud, definition: MonitoringDefinition, window: AnalysisWindow) -> list[str]:
    """S3 URIs of the folders that hold what the endpoint captured in the window's hours, in order.

    The hour before the window is among them: a file begun in one hour may end in the next.
    """
    plan = plan_of(cloud, definition.endpoint)
    destination = plan.capture["DestinationS3Uri"].rstrip("/")
    bucket, prefix = split(destination)
    found = []
    for variant in plan.variants:
        base = f"{prefix}/{definition.endpoint}/{variant.name}/".lstrip("/")
        first, last = base + _folder(window.start - HOUR), base + _folder(window.end - 1)
        pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=base, StartAfter=first)
        found += [f"s3://{bucket}/{folder}" for folder in dict.fromkeys(takewhile(last.__ge__, _folders(pages)))]
    return found


def _folders(pages: Iterable[Body]) -> Iterator[str]:
    for page in pages:
        for item in page.get("Contents", []):
            yield item["Key"].rpartition("/")[0]


def _folder(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y/%m/%d/%H}"


def job_name(scheduled: float) -> str:
    """`model-monitoring-<time>-<random>`, as AWS names them."""
    return f"model-monitoring-{datetime.fromtimestamp(scheduled, UTC):%Y%m%d%H%M}-{secrets.token_hex(12)}"


def output_uri(definition: MonitoringDefinition, schedule: str, scheduled: float) -> str:
    """Where the execution's files go: `<S3Uri>/<endpoint>/<schedule>/yyyy/mm/dd/hh`."""
    base = definition.output["S3Uri"].rstrip("/")
    return f"{base}/{definition.endpoint}/{schedule}/{datetime.fromtimestamp(scheduled, UTC):%Y/%m/%d/%H}"


def processing_job(
    definition: MonitoringDefinition, schedule: Body, scheduled: float, window: AnalysisWindow, inputs: list[str]
) -> Body:
    """CreateProcessingJob's request for an execution over `inputs`, S3 folders of captured (or merged) records."""
    body, source, output = definition.body, definition.input, definition.output
    application: Body = body["MonitoringAppSpecification"]
    given = ("ImageUri", "ContainerEntrypoint", "ContainerArguments")
    uri = output_uri(definition, schedule["MonitoringScheduleName"], scheduled)
    upload = {
        "S3Uri": uri,
        "LocalPath": output["LocalPath"],
        "S3UploadMode": output.get("S3UploadMode", "EndOfJob"),
    }
    return {
        "ProcessingJobName": job_name(scheduled),
        "MonitoringScheduleArn": schedule["MonitoringScheduleArn"],
        "RoleArn": body["RoleArn"],
        "AppSpecification": {name: application[name] for name in given if application.get(name)},
        "ProcessingResources": {"ClusterConfig": body["MonitoringResources"]["ClusterConfig"]},
        "ProcessingInputs": [*_traffic(source["LocalPath"], inputs), *_baseline(definition)],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "monitoring_output", "S3Output": upload}]},
        "Environment": _environment(definition, schedule["MonitoringScheduleName"], window),
        **({"StoppingCondition": body["StoppingCondition"]} if body.get("StoppingCondition") else {}),
    }


def _traffic(local_path: str, inputs: list[str]) -> list[Body]:
    """Each folder below `local_path` under its own `<endpoint>/<variant>/yyyy/mm/dd/hh`."""
    return [
        _input(f"input_{number}", uri, f"{local_path.rstrip('/')}/{'/'.join(uri.split('/')[-6:])}")
        for number, uri in enumerate(inputs, start=1)
    ]


def _baseline(definition: MonitoringDefinition) -> Iterator[Body]:
    statistics, constraints = baseline(definition)
    if statistics:
        yield _input("baseline", statistics, STATISTICS)
    if constraints:
        yield _input("constraints", constraints, CONSTRAINTS)


def _input(name: str, uri: str, local_path: str) -> Body:
    source = {"S3Uri": uri, "LocalPath": local_path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {**source, "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"},
    }


def _environment(definition: MonitoringDefinition, schedule: str, window: AnalysisWindow) -> dict[str, str]:
    statistics, constraints = baseline(definition)
    merged = definition.kind == "ModelQuality"
    values = {
        **definition.body.get("Environment", {}),
        "dataset_format": json.dumps(MERGE_FORMAT if merged else CAPTURE_FORMAT),
        "dataset_source": definition.input["LocalPath"],
        "output_path": definition.output["LocalPath"],
        "start_time": iso(window.start),
        "end_time": iso(window.end),
        "sagemaker_endpoint_name": definition.endpoint,
        "sagemaker_monitoring_schedule_name": schedule,
    }
    if statistics:
        values["baseline_statistics"] = f"{STATISTICS}/{statistics.rpartition('/')[2]}"
    if constraints:
        values["baseline_constraints"] = f"{CONSTRAINTS}/{constraints.rpartition('/')[2]}"
    if merged:
        values |= {"analysis_type": "MODEL_QUALITY", "problem_type": definition.problem_type}
        for name in ("InferenceAttribute", "ProbabilityAttribute", "ProbabilityThresholdAttribute"):
            if definition.input.get(name) is not None:
                values[_snake(name)] = str(definition.input[name])
    return values


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")
