"""A monitored endpoint of the local SageMaker, its captured traffic, and schedules that run when the test says so."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from capture_files import NOON, traffic
from cloud_fixtures import eventually
from job_support import REGISTRY, ROLE, SCIKIT_LEARN, Bucket, unique

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.endpoints import records
from localcloud.sagemaker.endpoints.plan import EndpointPlan, Variant
from localcloud.sagemaker.jobs.transfer import split
from localcloud.sagemaker.monitoring import executions, scheduler
from localcloud.sagemaker.monitoring.executions import SCHEDULE

ANALYZER = f"{REGISTRY.replace('763104351884', '156813124566')}/sagemaker-model-monitor-analyzer"
HOURLY = "cron(0 * ? * * *)"
PAST_NOON = NOON.timestamp() + 60.0
"""When the execution of noon begins."""


@dataclass(frozen=True)
class Watched:
    """An endpoint with data capture, and what a test does with its schedules."""

    cloud: Cloud
    bucket: Bucket
    endpoint: str

    def definition(self, **changes: Any) -> dict[str, Any]:
        """A MonitoringJobDefinition that runs the analyzer."""
        source = {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"}
        output = {"S3Uri": self.bucket.uri("reports"), "LocalPath": "/opt/ml/processing/output"}
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        return {
            "MonitoringInputs": [{"EndpointInput": source}],
            "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "MonitoringResources": {"ClusterConfig": cluster},
            "MonitoringAppSpecification": {"ImageUri": ANALYZER},
            "Environment": {"publish_cloudwatch_metrics": "Enabled", "classes": "bicycle,motorcycle"},
            "RoleArn": ROLE,
            **changes,
        }

    def quick(self, command: str = "true") -> dict[str, Any]:
        """A definition whose program is a line of shell."""
        application = {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["sh", "-c", command]}
        return self.definition(MonitoringAppSpecification=application)

    def baseline(self, folder: Path) -> dict[str, Any]:
        """A BaselineConfig of the two files in `folder`, uploaded."""
        uris = {name: self.bucket.put(f"baseline/{name}", (folder / name).read_bytes()) for name in BASELINE}
        return {
            "StatisticsResource": {"S3Uri": uris["statistics.json"]},
            "ConstraintsResource": {"S3Uri": uris["constraints.json"]},
        }

    def capture(self, n: int = 60, start: datetime = NOON - timedelta(minutes=30), **kind: Any) -> None:
        """Upload `n` captured requests, one every ten seconds."""
        with tempfile.TemporaryDirectory() as folder:
            root = traffic(Path(folder), n, seed=5, start=start, **kind) / "scones-endpoint"
            for file in root.rglob("*.jsonl"):
                self.bucket.put(f"capture/{self.endpoint}/{file.relative_to(root).as_posix()}", file.read_bytes())

    def schedule(
        self,
        definition: dict[str, Any] | None = None,
        expression: str = HOURLY,
        since: datetime | None = None,
        **more: Any,
    ) -> str:
        """A schedule that has analysed everything until `since` (11:00); its name."""
        name = unique("schedule")
        config = {
            "ScheduleConfig": {"ScheduleExpression": expression, **more},
            "MonitoringJobDefinition": definition or self.quick(),
        }
        self.cloud.call(
            "CreateMonitoringSchedule", {"MonitoringScheduleName": name, "MonitoringScheduleConfig": config}
        )
        if expression != "NOW":
            until = (since or NOON - timedelta(hours=1)).timestamp()
            self.cloud.store.update(SCHEDULE.name, name, {"AnalysedUntil": until})
        return name

    def run(self, schedule: str, now: float = PAST_NOON) -> dict[str, Any]:
        """Let the scheduler do what is due at `now`, to its end; the summary of the latest execution."""
        scheduler.step(self.cloud, now)
        self.settle()
        return self.executions(schedule)[0]

    def settle(self) -> None:
        """Wait until every job has ended, and let the scheduler note that at a time when nothing is due."""
        eventually(lambda: not self.cloud.jobs)
        scheduler.step(self.cloud, 0.0)

    def executions(self, schedule: str) -> list[dict[str, Any]]:
        listed = self.cloud.call("ListMonitoringExecutions", {"MonitoringScheduleName": schedule, "MaxResults": 100})
        found: list[dict[str, Any]] = listed["MonitoringExecutionSummaries"]
        return found

    def job(self, execution: dict[str, Any]) -> dict[str, Any]:
        name = execution["ProcessingJobArn"].rpartition("/")[2]
        return self.cloud.call("DescribeProcessingJob", {"ProcessingJobName": name})

    def read(self, execution: dict[str, Any], file: str) -> bytes:
        """A file of an execution's output."""
        output = self.job(execution)["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        return self.bucket.get(f"{split(output)[1]}/{file}")

    def describe(self, schedule: str) -> dict[str, Any]:
        return self.cloud.call("DescribeMonitoringSchedule", {"MonitoringScheduleName": schedule})


BASELINE = ("statistics.json", "constraints.json")


@pytest.fixture
def watched(cloud: Cloud, bucket: Bucket) -> Watched:
    """An endpoint's record with data capture into `bucket`; nothing serves."""
    name = unique("endpoint")
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": bucket.uri("capture")}
    variant = Variant("AllTraffic", "model", 1, 1.0, {"Image": SCIKIT_LEARN}, 60.0, "ml.m5.large")
    body = {
        "EndpointName": name,
        "EndpointArn": cloud.arn(f"endpoint/{name}"),
        "EndpointConfigName": "config",
        "EndpointStatus": "InService",
        "Plan": EndpointPlan("config", (variant,), capture).to_body(),
    }
    cloud.store.insert(records.KIND, name, body, arn=body["EndpointArn"], status="InService")
    return Watched(cloud, bucket, name)


__all__ = ["ANALYZER", "BASELINE", "HOURLY", "PAST_NOON", "Watched", "executions", "watched"]
