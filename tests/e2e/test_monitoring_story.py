"""A live version is watched: healthy traffic, drift and its alert, labels, the report, and both schedulers."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from capture_files import CLASSES, picture
from cloud_fixtures import BIN, OPEN_QUEUE, LocalCloud, eventually, run
from endpoint_support import PYTORCH_INFERENCE, archive
from PIL import Image

from monitoring import baseline

PROJECT = "watched-story"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
SCHEDULE = f"{PROJECT}-monitor"
REQUESTS = 60
BY_BRIGHTNESS = """
    import io, json
    from PIL import Image

    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        grey = Image.open(io.BytesIO(body)).convert("L").resize((1, 1)).getpixel((0, 0))
        bicycle = 0.99 if grey > 125 else 0.01
        return json.dumps([bicycle, 1 - bicycle]), "application/json"
"""


def probabilities(body: bytes) -> list[float]:
    """What the model above answers."""
    with Image.open(io.BytesIO(body)) as image:
        grey = image.convert("L").resize((1, 1)).getpixel((0, 0))
    return [0.99, 0.01] if grey > 125 else [0.01, 0.99]  # type: ignore[operator]


def drawn(seed: int, n: int, shade: float = 1.0) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [picture(random, shade=shade) for _ in range(n)]


@dataclass(frozen=True)
class Project:
    """A deployed project with a live, watched version."""

    folder: Path
    environment: dict[str, str]
    clients: dict[str, Any]

    def scones(self, *words: str, expect: int = 0) -> Any:
        done = run(BIN / "scones", *words, environment=self.environment, folder=self.folder)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def json(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.scones(*words, "--json", expect=expect).stdout)

    def send(self, bodies: list[bytes], prefix: str) -> datetime:
        """Ask the endpoint, and wait until it is captured; a moment before the first request."""
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

    def attached(self) -> dict[str, Any]:
        value = self.clients["ssm"].get_parameter(Name=f"/{PROJECT}/monitoring/attached")["Parameter"]["Value"]
        found: dict[str, Any] = json.loads(value)
        return found

    def call(self, **event: Any) -> dict[str, Any]:
        """Call function Monitor."""
        answer = self.clients["lambda"].invoke(FunctionName=SCHEDULE, Payload=json.dumps(event).encode())
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def scheduler(self, name: str) -> None:
        """Set the scheduler as the stack would, which takes ten times as long."""
        functions = self.clients["lambda"]
        variables = functions.get_function_configuration(FunctionName=SCHEDULE)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=SCHEDULE, Environment={"Variables": {**variables, "SCHEDULER": name}}
        )


def registered(project: Project) -> None:
    """A version whose baseline are 200 pictures and what the model makes of them."""
    s3, files = project.clients["s3"], []
    bodies = drawn(99, 200)
    for number, body in enumerate(bodies):
        files.append(project.folder / f"{number}.png")
        files[-1].write_bytes(body)
    answers = np.array([probabilities(body) for body in bodies])
    for name, document in baseline.of_test_set(files, answers, CLASSES, 0.93).items():
        s3.put_object(Bucket=BUCKET, Key=f"executions/one/Evaluate/baseline/{name}", Body=json.dumps(document).encode())
    rules = {"accuracy": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"}}
    quality = {"version": 0.0, "binary_classification_constraints": rules}
    s3.put_object(Bucket=BUCKET, Key="executions/one/Evaluate/baseline/quality.json", Body=json.dumps(quality).encode())
    model = archive({"code/inference.py": textwrap.dedent(BY_BRIGHTNESS).encode()})
    s3.put_object(Bucket=BUCKET, Key="models/one/model.tar.gz", Body=model)

    def file(name: str) -> dict[str, str]:
        uri = f"s3://{BUCKET}/executions/one/Evaluate/baseline/{name}"
        return {"ContentType": "application/json", "S3Uri": uri}

    sagemaker = project.clients["sagemaker"]
    sagemaker.create_model_package_group(ModelPackageGroupName=PROJECT)
    sagemaker.create_model_package(
        ModelPackageGroupName=PROJECT,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": PYTORCH_INFERENCE, "ModelDataUrl": f"s3://{BUCKET}/models/one/model.tar.gz"}],
            "SupportedContentTypes": ["image/png"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        DriftCheckBaselines={
            "ModelDataQuality": {"Statistics": file("statistics.json"), "Constraints": file("constraints.json")},
            "ModelQuality": {"Constraints": file("quality.json")},
        },
        CustomerMetadataProperties={"classes": "bicycle motorcycle"},
    )


@pytest.fixture(scope="module")
def project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("watched")
    session = boto3.Session("test", "test", region_name="us-east-1")
    services = ("s3", "ssm", "sns", "sqs", "lambda", "scheduler", "cloudwatch")
    clients = {name: session.client(name, endpoint_url=local_cloud.addresses.ministack) for name in services}
    for name in ("sagemaker", "sagemaker-runtime"):
        clients[name] = session.client(name, endpoint_url=local_cloud.addresses.sagemaker)
    made = Project(folder, local_cloud.environment, clients)
    (folder / "scones.toml").write_text(f'project = "{PROJECT}"\n[serving]\nbake_seconds = 0\n', encoding="utf-8")
    made.scones("infra", "deploy")
    registered(made)
    made.scones("approve", "--wait")
    return made


@pytest.fixture
def alerts(project: Project) -> Iterator[Callable[[], list[dict[str, str]]]]:
    """What a desk has heard that is subscribed to the alerts topic."""
    sqs, sns = project.clients["sqs"], project.clients["sns"]
    queue = sqs.create_queue(QueueName=f"{PROJECT}-desk", Attributes=OPEN_QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = f"arn:aws:sns:us-east-1:000000000000:{PROJECT}-alerts"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    found: list[dict[str, str]] = []

    def heard() -> list[dict[str, str]]:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    yield heard
    sns.unsubscribe(SubscriptionArn=subscription)
    sqs.delete_queue(QueueUrl=queue)


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


def test_the_report_is_a_page_and_its_charts(project: Project, tmp_path: Path) -> None:
    project.send(drawn(5, 20), "reported")
    found = project.json("monitor", "report", "--output", str(tmp_path / "report"))
    assert found["records"] >= 20
    assert Path(found["page"]).read_text().startswith("<!doctype html>")
    assert list((tmp_path / "report").glob("*.png"))


def test_eventbridge_scheduler_starts_one_run_for_the_hours_that_are_over(project: Project) -> None:
    project.scheduler("eventbridge")
    project.scones("monitor", "schedule", "on")
    assert project.attached()["scheduler"] == "eventbridge"
    assert not project.clients["sagemaker"].list_monitoring_schedules(NameContains=PROJECT)[
        "MonitoringScheduleSummaries"
    ]
    target = project.clients["scheduler"].get_schedule(Name=SCHEDULE)["Target"]
    assert project.call(**json.loads(target["Input"]))["outcome"] == "nothing"
    missed = {**project.attached(), "analysed_until": int((datetime.now(UTC) - timedelta(hours=30)).timestamp())}
    project.clients["ssm"].put_parameter(
        Name=f"/{PROJECT}/monitoring/attached", Value=json.dumps(missed), Type="String", Overwrite=True
    )
    started = project.call(**json.loads(target["Input"]))
    assert started["outcome"] == "ok", started
    assert project.call(**json.loads(target["Input"]))["outcome"] == "nothing"
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
