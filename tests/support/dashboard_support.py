"""A small project for the dashboard to look at: captured traffic, a baseline, monitor runs, registered versions."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from capture_files import entry, picture, traffic
from cloud_fixtures import LocalCloud
from numpy.random import Generator, default_rng

from monitoring.analysis import job
from monitoring.measures.metrics import threshold_curve

REGION, ACCOUNT = "us-east-1", "000000000000"
THRESHOLD = 0.93
EVALUATION = "executions/one/Evaluate"
IMAGE = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.6-cpu-py312"
Sit = Callable[..., None]
"""Sits down at a project's desk, see `at_desk`."""


@dataclass(frozen=True)
class Project:
    """A project of its own in a local cloud that others use as well."""

    name: str
    folder: Path
    variables: dict[str, str]
    clients: dict[str, Any]

    @property
    def bucket(self) -> str:
        return f"{self.name}-{ACCOUNT}-{REGION}"

    @property
    def threshold(self) -> str:
        return f"/{self.name}/inference/threshold"

    def put(self, key: str, body: bytes | str) -> None:
        self.clients["s3"].put_object(Bucket=self.bucket, Key=key, Body=body)

    def keys(self, prefix: str) -> list[str]:
        found = self.clients["s3"].list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    def machine(self, name: str) -> str:
        return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self.name}-{name}"


def made(cloud: LocalCloud, name: str, folder: Path, more: str = "") -> Project:
    """Clients and a settings file; nothing in the cloud yet."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "scones.toml"
    settings.write_text(f'project = "{name}"\n{more}', encoding="utf-8")
    session = boto3.Session("test", "test", region_name=REGION)
    services = ("s3", "ssm", "stepfunctions", "cloudwatch", "iam")
    clients = {one: session.client(one, endpoint_url=cloud.addresses.ministack) for one in services}
    clients["sagemaker"] = session.client("sagemaker", endpoint_url=cloud.addresses.sagemaker)
    variables = {
        **cloud.variables,
        "SCONES_SETTINGS": str(settings),
        "SCONES_DASHBOARD_CACHE": str(folder / "cache"),
    }
    return Project(name, folder, variables, clients)


def resources(project: Project) -> None:
    """What the pages ask of the stack, made directly, which takes less time: bucket and parameters."""
    project.clients["s3"].create_bucket(Bucket=project.bucket)
    ssm = project.clients["ssm"]
    ssm.put_parameter(Name=project.threshold, Value=str(THRESHOLD), Type="String", Description="Read at run time.")
    ssm.put_parameter(Name=f"/{project.name}/inference/unfamiliarity", Value="0.95", Type="String")
    ssm.put_parameter(Name=f"/{project.name}/inference/live-model", Value="{}", Type="String")


def capture(
    project: Project,
    n: int,
    *,
    end: datetime | None = None,
    every: timedelta = timedelta(seconds=10),
    seed: int = 0,
    variant: str = "AllTraffic",
    shade: float = 1.0,
) -> list[dict[str, Any]]:
    """`n` records up to `end` (now), a file per ten minutes; the entries, oldest first."""
    random = default_rng(seed)
    end = end or datetime.now(UTC).replace(microsecond=0)
    entries = [
        _entry(random, f"{project.name}-{variant}-{seed}-{i}", end - (n - 1 - i) * every, shade) for i in range(n)
    ]
    files: dict[str, list[str]] = {}
    for one in entries:
        time = datetime.fromisoformat(one["eventMetadata"]["inferenceTime"])
        name = f"{time:%Y/%m/%d/%H}/{time.minute // 10 * 10:02d}-00-000-{seed:04d}.jsonl"
        files.setdefault(name, []).append(json.dumps(one) + "\n")
    for name, lines in files.items():
        project.put(f"captures/{project.name}/{variant}/{name}", "".join(lines))
    return entries


def _entry(random: Generator, event: str, time: datetime, shade: float) -> dict[str, Any]:
    best = round(0.5 + 0.5 * random.beta(9.0, 0.8), 4)
    answer = (best, 1 - best) if random.random() < 0.6 else (1 - best, best)
    return entry(event, answer, picture(random, shade=shade, side=32), time)


def baseline(project: Project, folder: Path) -> None:
    """Put the baseline's files and an evaluation into the bucket."""
    for name in ("statistics.json", "constraints.json"):
        project.put(f"{EVALUATION}/{name}", (folder / name).read_bytes())
    metrics = {"accuracy": 0.91, "accuracy_low": 0.87, "accuracy_high": 0.94, "auc": 0.97, "macro_recall": 0.9}
    sure = np.linspace(0.5, 1, 101)
    curve = threshold_curve(sure, sure > 0.6, np.array([0.5, 0.7, 0.93]))
    beside = {"version": 2, "images": 57, "difference": 0.07, "difference_low": 0.01, "difference_high": 0.13}
    beside |= {"accuracy": 0.842, "accuracy_low": 0.726, "accuracy_high": 0.915}
    beside |= {"new": 0.912, "new_low": 0.811, "new_high": 0.962}
    reviewed = {"images": 57, "accuracy": 0.912, "accuracy_low": 0.811, "accuracy_high": 0.962}
    reviewed |= {"neither": 5, "neither_routed": 2, "versions": [beside]}
    evaluation = {"metrics": metrics, "threshold_curve": curve, "reviewed": reviewed}
    project.put(f"{EVALUATION}/evaluation.json", json.dumps(evaluation))


def register(project: Project, approval: str = "PendingManualApproval", **more: Any) -> str:
    """A version in the registry with its evaluation and baseline; its ARN."""

    def source(name: str) -> dict[str, str]:
        return {"ContentType": "application/json", "S3Uri": f"s3://{project.bucket}/{EVALUATION}/{name}"}

    quality = {
        "ModelQuality": {"Statistics": source("evaluation.json")},
        "ModelDataQuality": {"Statistics": source("statistics.json"), "Constraints": source("constraints.json")},
    }
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{project.bucket}/models/1/model.tar.gz"}],
        "SupportedContentTypes": ["image/png"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    request = {
        "ModelPackageGroupName": project.name,
        "ModelApprovalStatus": approval,
        "InferenceSpecification": specification,
        "ModelMetrics": quality,
        "DriftCheckBaselines": {"ModelDataQuality": quality["ModelDataQuality"]},
        "CustomerMetadataProperties": {"classes": "bicycle motorcycle", "algorithm": "pytorch"},
        **more,
    }
    return str(project.clients["sagemaker"].create_model_package(**request)["ModelPackageArn"])


def monitor_run(
    project: Project, source: Path, baseline_folder: Path | None, when: datetime, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Run the monitoring job over a folder of captured traffic, and put what it wrote where a schedule would."""
    work = project.folder / f"monitor-{when:%H%M%S%f}"
    environment = {
        "dataset_source": str(source),
        "output_path": str(work / "output"),
        "SAGEMAKER_BASE_DIR": str(work),
        "sagemaker_endpoint_name": project.name,
        "classes": "bicycle,motorcycle",
    }
    if baseline_folder:
        environment["baseline_statistics"] = str(baseline_folder / "statistics.json")
        environment["baseline_constraints"] = str(baseline_folder / "constraints.json")
    with monkeypatch.context() as patch, redirect_stdout(io.StringIO()):
        for name, value in environment.items():
            patch.setenv(name, value)
        job.main([])
    summary = work / "output" / "summary.json"
    document = json.loads(summary.read_text())
    summary.write_text(json.dumps({**document, "analysed_at": when.isoformat()}))
    prefix = f"monitor/{project.name}/hourly/{when:%Y/%m/%d/%H}"
    for file in (work / "output").iterdir():
        project.put(f"{prefix}/{file.name}", file.read_bytes())
    return prefix


@pytest.fixture(scope="session")
def empty(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Deployed, and nothing has happened yet."""
    project = made(local_cloud, "desk-empty", tmp_path_factory.mktemp("empty"))
    resources(project)
    return project


@pytest.fixture(scope="session")
def busy(local_cloud: LocalCloud, baseline_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two variants' traffic, a damaged file, three versions of which one is live, two monitor runs, executions."""
    project = made(local_cloud, "desk-busy", tmp_path_factory.mktemp("busy"))
    resources(project)
    now = datetime.now(UTC)
    capture(project, 60, every=timedelta(minutes=2), seed=1)
    capture(project, 40, every=timedelta(minutes=2), seed=2, variant="Shadow")
    project.put(f"captures/{project.name}/AllTraffic/2026/01/01/00/00-00-000-x.jsonl", "{broken <b>\n")
    project.clients["sagemaker"].create_model_package_group(ModelPackageGroupName=project.name)
    baseline(project, baseline_folder)
    register(project, "Rejected")
    live = register(project, "Approved")
    register(project)
    project.clients["ssm"].put_parameter(
        Name=f"/{project.name}/inference/live-model",
        Value=json.dumps({"model_package_arn": live, "since": int(now.timestamp()) - 3 * 3600}),
        Overwrite=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        for hours, shade in ((2, 1.0), (1, 0.6)):
            source = traffic(project.folder / f"traffic-{hours}", 120, seed=hours, shade=shade)
            monitor_run(project, source, baseline_folder, now - timedelta(hours=hours), patch)
    _machine(project, "inference", {"passed": None, "unsure": "LowConfidence", "broken": "ImageNotFound"})
    return project


def _machine(project: Project, name: str, runs: dict[str, str | None]) -> None:
    """A state machine that ends as its input says, and one execution of it per entry of `runs`."""
    choice = {"Variable": "$.error", "IsPresent": True, "Next": "Failed"}
    definition = {
        "StartAt": "How?",
        "States": {
            "How?": {"Type": "Choice", "Choices": [choice], "Default": "Done"},
            "Failed": {"Type": "Fail", "ErrorPath": "$.error", "Cause": '{"problem": "as the test says"}'},
            "Done": {"Type": "Succeed"},
        },
    }
    states = project.clients["stepfunctions"]
    arn = states.create_state_machine(
        name=f"{project.name}-{name}", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/any"
    )["stateMachineArn"]
    for run, error in runs.items():
        states.start_execution(stateMachineArn=arn, name=run, input=json.dumps({"error": error} if error else {}))


@pytest.fixture
def at_desk(on_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Project, bool], None]]:
    """Point this process's dashboard at a project, read-only or not; its desk is closed at the end."""
    from project import aws, settings
    from scones.desk import connection, desk

    def forget() -> None:
        desk.close()
        connection.forget()
        for cached in (settings.load, aws.client, aws.names):
            cached.cache_clear()

    def sit(project: Project, allow_changes: bool = False) -> None:
        forget()
        for name, value in project.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv(desk.CHANGES, "1" if allow_changes else "0")

    yield sit
    forget()
