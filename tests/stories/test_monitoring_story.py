"""A live version is watched: healthy traffic, drift and its alert, labels, the report, and both schedulers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture_files import CLASSES, picture
from cloud_fixtures import LocalCloud, eventually
from html_page import read_page
from PIL import Image
from story_support import Story, by_brightness, desk

from monitoring.analysis import baseline
from monitoring.analysis.features import USUAL

PROJECT = "watched-story"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
SCHEDULE = f"{PROJECT}-monitor"
REQUESTS = 60
BY_BRIGHTNESS = by_brightness("0.99 if grey > 125 else 0.01")


def probabilities(body: bytes) -> list[float]:
    """What the model above answers."""
    with Image.open(io.BytesIO(body)) as image:
        grey = image.convert("L").resize((1, 1)).getpixel((0, 0))
    return [0.99, 0.01] if grey > 125 else [0.01, 0.99]  # type: ignore[operator]


def drawn(seed: int, n: int, shade: float = 1.0) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [picture(random, shade=shade) for _ in range(n)]


@dataclass(frozen=True)
class Project(Story):
    """A deployed project with a live, watched version."""

    def json(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.scones(*words, "--json", expect=expect).stdout)

    def send(self, bodies: list[bytes], prefix: str) -> datetime:
        """Ask the endpoint, and wait until it is captured; a moment before the first request.

        Captured records bear whole seconds: what was asked before, the smoke test too, is to lie in an earlier one.
        """
        before = datetime.now(UTC).replace(microsecond=0)
        eventually(lambda: datetime.now(UTC).replace(microsecond=0) > before)
        began = datetime.now(UTC).replace(microsecond=0)
        for number, body in enumerate(bodies):
            self.clients["sagemaker-runtime"].invoke_endpoint(
                EndpointName=PROJECT, Body=body, ContentType="image/png", InferenceId=f"{prefix}-{number}"
            )
        eventually(lambda: self.captured(prefix) == len(bodies))
        return began

    def captured(self, prefix: str) -> int:
        listed = self.clients["s3"].list_objects_v2(Bucket=BUCKET, Prefix=f"captures/{PROJECT}/").get("Contents", [])
        bodies = (self.clients["s3"].get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed)
        return sum(body.count(f'"inferenceId":"{prefix}-'.encode()) for body in bodies)

    def judge(self, began: datetime, *words: str, expect: int = 0) -> dict[str, Any]:
        since = began.strftime("%Y-%m-%dT%H:%M:%S")
        found: dict[str, Any] = self.json("monitor", "run", "--since", since, *words, expect=expect)
        return found


def registered(project: Project) -> None:
    """A version whose baseline are 200 pictures and what the model makes of them."""
    files = []
    bodies = drawn(99, 200)
    for number, body in enumerate(bodies):
        files.append(project.folder / f"{number}.png")
        files[-1].write_bytes(body)
    answers = np.array([probabilities(body) for body in bodies])
    rules = {"accuracy": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"}}
    documents = {
        **baseline.of_test_set(files, answers, CLASSES, USUAL),
        "quality.json": {"version": 0.0, "binary_classification_constraints": rules},
    }
    placed = {
        name: project.document(f"executions/one/Evaluate/baseline/{name}", content)
        for name, content in documents.items()
    }
    project.register(
        BY_BRIGHTNESS,
        DriftCheckBaselines={
            "ModelDataQuality": {"Statistics": placed["statistics.json"], "Constraints": placed["constraints.json"]},
            "ModelQuality": {"Constraints": placed["quality.json"]},
        },
    )


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    services = ("ssm", "sns", "sqs", "lambda", "scheduler", "cloudwatch")
    made = Project.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("watched"), *services)
    made.deploy()
    registered(made)
    made.scones("approve", "--wait")
    return made


@pytest.fixture
def alerts(project: Project) -> Iterator[Callable[[], list[dict[str, str]]]]:
    """What a desk has heard that is subscribed to the alerts topic."""
    sqs, found = project.clients["sqs"], list[dict[str, str]]()
    with desk(project) as queue:

        def heard() -> list[dict[str, str]]:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return found

        yield heard


def incident(project: Project, key: str) -> dict[str, Any]:
    """What is remembered of a problem that is there; {} when it is not."""
    s3 = project.clients["s3"]
    try:
        found: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=f"alerts/open/{key}.json")["Body"].read())
    except s3.exceptions.NoSuchKey:
        return {}
    return found


def test_the_deployment_attached_a_schedule_and_status_says_so(project: Project) -> None:
    project.scones("monitor", "schedule", "on")
    said = project.scones("monitor", "status").stdout
    assert f"Version 1 on endpoint {PROJECT}" in said
    assert "model-monitor, Scheduled. This account has Model Monitor." in said
    assert "Next run: " in said
    assert project.json("monitor", "schedule")["state"] == "Scheduled"


def test_ordinary_traffic_is_healthy_and_drift_is_told_once_until_it_is_over(
    project: Project, alerts: Callable[[], list[dict[str, str]]]
) -> None:
    healthy = project.judge(project.send(drawn(1, REQUESTS), "healthy"))
    assert (healthy["outcome"], healthy["summary"]["records"]) == ("Completed", REQUESTS)
    began = project.send(drawn(2, REQUESTS, shade=0.5), "dark")
    for _ in range(2):
        found = project.judge(began, expect=3)
        assert "brightness" in {one["feature_name"] for one in found["violations"]}
    eventually(lambda: incident(project, "drift").get("times", 0) >= 2)
    told = [one for one in alerts() if one["Subject"].startswith("Scones: Traffic differs")]
    assert len(told) == 1
    lines = told[0]["Message"].splitlines()
    assert [line.partition(":")[0].strip() for line in lines if line[0] != " "] == [
        "What", "How much", "Since", "Where to look"
    ]  # fmt: skip
    assert any("brightness: Baseline drift distance" in line for line in lines)
    [alarm] = project.clients["cloudwatch"].describe_alarms(AlarmNames=[f"{PROJECT}-drift"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    project.judge(project.send(drawn(3, REQUESTS), "again"))
    eventually(lambda: any(one["Subject"].startswith("Scones: over: Traffic") for one in alerts()))
    assert not incident(project, "drift")


def test_a_run_without_data_says_so_and_has_an_exit_code_of_its_own(project: Project) -> None:
    found = project.judge(datetime.now(UTC) + timedelta(milliseconds=1), expect=4)
    assert found["outcome"] == "NoData"


def test_labels_become_model_quality(project: Project) -> None:
    bodies = drawn(4, 40)
    began = project.send(bodies, "labelled")
    for number, body in enumerate(bodies[:-4]):
        truth = int(np.argmax(probabilities(body)))
        key = f"ground-truth/{PROJECT}/2026/01/01/00/{number}.jsonl"
        record = {"groundTruthData": {"data": str(truth), "encoding": "CSV"},
                  "eventMetadata": {"eventId": f"labelled-{number}"}, "eventVersion": "0"}  # fmt: skip
        project.clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=json.dumps(record).encode())
    wrong = CLASSES[1 - int(np.argmax(probabilities(bodies[36])))]
    assert project.json("monitor", "label", "labelled-36", wrong)["class"] == wrong
    found = project.judge(began, "--model-quality")
    assert found["summary"]["labelled"] == 37
    assert project.scones("monitor", "label", "labelled-37", "lorry", expect=2).stderr.startswith(
        "Error: There is no class"
    )


def test_the_report_is_one_page_with_its_charts(project: Project, tmp_path: Path) -> None:
    project.send(drawn(5, 20), "reported")
    found = project.json("monitor", "report", "--output", str(tmp_path / "report"))
    assert found["records"] >= 20
    page = read_page(Path(found["page"]).read_text(encoding="utf-8"))
    assert {"confidence-over-time", "confidence-histogram", "above-and-below", "class-mix"} <= set(page.charts)
    if "latency" in page.charts:  # traffic of several minutes; that of one or two is told as numbers
        assert [line["name"] for line in page.charts["latency"]["data"]] == ["median", "90% answered within"]
        assert all(line["y"][-1] > 0 for line in page.charts["latency"]["data"])
    else:
        told = re.search(r"Latency of the model ([\d.]+) (?:to [\d.]+ )?ms median; 90% answered within", page.text)
        assert told and float(told[1]) > 0
    assert [file.name for file in (tmp_path / "report").iterdir()] == ["report.html"]


def test_eventbridge_scheduler_starts_one_run_for_the_hours_that_are_over(project: Project) -> None:
    project.scheduler("eventbridge")
    project.scones("monitor", "schedule", "on")
    assert project.attached()["scheduler"] == "eventbridge"
    assert not project.clients["sagemaker"].list_monitoring_schedules(NameContains=PROJECT)[
        "MonitoringScheduleSummaries"
    ]
    target = project.clients["scheduler"].get_schedule(Name=SCHEDULE)["Target"]
    assert project.call("monitor", **json.loads(target["Input"]))["outcome"] == "nothing"
    missed = {**project.attached(), "analysed_until": int((datetime.now(UTC) - timedelta(hours=30)).timestamp())}
    project.clients["ssm"].put_parameter(
        Name=f"/{PROJECT}/monitoring/attached", Value=json.dumps(missed), Type="String", Overwrite=True
    )
    started = project.call("monitor", **json.loads(target["Input"]))
    assert started["outcome"] == "ok", started
    assert project.call("monitor", **json.loads(target["Input"]))["outcome"] == "nothing"
    sagemaker = project.clients["sagemaker"]
    described = lambda: sagemaker.describe_processing_job(ProcessingJobName=started["job"])  # noqa: E731 - used twice
    eventually(lambda: described()["ProcessingJobStatus"] == "Completed")
    window = described()["Environment"]
    length = datetime.fromisoformat(window["end_time"]) - datetime.fromisoformat(window["start_time"])
    assert timedelta(hours=29) <= length <= timedelta(hours=30)
    assert project.json("monitor", "status")["runs"]
    project.scheduler("auto")
    project.scones("monitor", "schedule", "on")
    assert project.attached()["scheduler"] == "model-monitor"


def test_the_schedule_can_be_switched_off_and_on(project: Project) -> None:
    assert "is deleted" in project.scones("monitor", "schedule", "off").stdout
    assert "Nothing is watched" in project.scones("monitor", "status").stdout
    assert "No version is watched" in project.scones("monitor", "run", expect=1).stderr
    project.scones("monitor", "schedule", "on")
    assert project.json("monitor", "status")["attached"]["version"] == 1
