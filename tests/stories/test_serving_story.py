"""From an approval to a routed delivery, as people do it: `scones`, `aws` and boto3 against the deployed template."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import LocalCloud, eventually
from commands import BIN, run
from PIL import Image
from story_support import NEVER_STARTS, Story, always, desk

from monitoring.analysis import capture

PROJECT = "serving-story"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
THREE_CLASSES = always("[0.5, 0.25, 0.25]")


@dataclass(frozen=True)
class Project(Story):
    """A project with a live version, and how its people look at it."""

    def aws(self, *words: str) -> Any:
        done = run(BIN / "aws", *words, "--output", "json", environment=self.cloud.environment, folder=self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    def live(self) -> str | None:
        value = self.clients["ssm"].get_parameter(Name=f"/{PROJECT}/inference/live-model")["Parameter"]["Value"]
        arn: str | None = json.loads(value).get("model_package_arn")
        return arn

    def config(self) -> str:
        found: str = self.clients["sagemaker"].describe_endpoint(EndpointName=PROJECT)["EndpointConfigName"]
        return found

    def execution(self, arn: str) -> dict[str, Any]:
        """An execution, at its end."""
        sfn = self.clients["stepfunctions"]
        eventually(lambda: sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
        found: dict[str, Any] = sfn.describe_execution(executionArn=arn)
        return found

    def executions(self, machine: str) -> list[dict[str, Any]]:
        arn = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PROJECT}-{machine}"
        found: list[dict[str, Any]] = self.clients["stepfunctions"].list_executions(stateMachineArn=arn)["executions"]
        return found


@pytest.fixture(scope="module")
def deployed_project(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The stack is there, and one version is approved, deployed and live."""
    services = ("ssm", "sns", "sqs", "stepfunctions", "lambda", "events")
    project = Project.begin(local_cloud, PROJECT, tmp_path_factory.mktemp("serving"), *services)
    project.deploy()
    first = project.register()
    done = project.scones("approve", "--wait", "--comment", "good enough")
    assert "Version 1: no evaluation recorded" in done.stderr
    assert "Deployed" in done.stdout
    assert f"Version 1 of {PROJECT} is live on endpoint {PROJECT}." in done.stderr
    assert project.live() == first
    return project


@pytest.fixture
def project(deployed_project: Project) -> Project:
    """Live and sure of itself; what a test changed it has changed back."""
    assert deployed_project.live()
    return deployed_project


@pytest.fixture
def alerts(project: Project) -> Iterator[Callable[[str], dict[str, Any]]]:
    """What a desk hears that is subscribed to the alerts topic."""
    sqs = project.clients["sqs"]
    with desk(project) as queue:

        def heard(subject: str) -> dict[str, Any]:
            found: list[dict[str, Any]] = []

            def arrived() -> bool:
                for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                    found.append(json.loads(message["Body"]))
                return any(one["Subject"] == subject for one in found)

            eventually(arrived)
            [alert] = [one for one in found if one["Subject"] == subject]
            told: dict[str, Any] = json.loads(alert["Message"])
            return told

        yield heard


def test_the_aws_command_line_approves_just_as_well(project: Project) -> None:
    arn = project.register()
    project.aws(
        *("sagemaker", "update-model-package", "--model-package-arn", arn, "--model-approval-status", "Approved")
    )
    eventually(lambda: project.live() == arn)
    eventually(lambda: all(one["status"] != "RUNNING" for one in project.executions("deploy")))


def test_an_approval_that_is_repeated_changes_nothing(project: Project) -> None:
    live, config = project.live(), project.config()
    assert live
    refused = project.scones("approve", live.rpartition("/")[2], expect=2)
    assert "is Approved already" in refused.stderr
    again = json.loads(project.scones("approve", live, "--again", "--wait", "--json").stdout)
    assert (again["outcome"], again["message"]) == ("nothing", f"{live} is live already.")
    assert project.config() == config


def test_a_withdrawn_approval_brings_the_version_before_back(project: Project) -> None:
    before = project.live()
    arn = project.register()
    project.scones("approve", "--wait")
    assert project.live() == arn
    done = json.loads(project.scones("reject", arn, "--wait", "--json", "--comment", "changed our mind").stdout)
    assert done["outcome"] == "ok"
    assert project.live() == before


@pytest.mark.parametrize(
    ("code", "error"), [(NEVER_STARTS, "RolledBack"), (THREE_CLASSES, "SmokeTestFailed")], ids=["crashes", "answers"]
)
def test_a_version_that_cannot_serve_fails_its_deployment_and_leaves_the_live_one(
    project: Project, code: str, error: str, alerts: Callable[[str], dict[str, Any]]
) -> None:
    live, config = project.live(), project.config()
    arn = project.register(code)
    try:
        done = project.scones("approve", "--wait", expect=1)
        assert f"failed: {error}:" in done.stderr
        assert (project.live(), project.config()) == (live, config)
        assert alerts("Scones: deployment failed, nothing changed")["error"] == error
        configs = project.clients["sagemaker"].list_endpoint_configs(
            NameContains=f"{PROJECT}-v{arn.rpartition('/')[2]}-"
        )
        assert configs["EndpointConfigs"] == []
        assert project.scones("invoke", str(project.picture("still.png", 255))).stdout.startswith("near  bicycle")
    finally:
        project.scones("reject", arn)


def test_a_picture_becomes_a_route(project: Project) -> None:
    near = project.scones("invoke", str(project.picture("white.png", 255)))
    assert near.stdout.startswith(f"near  bicycle  0.9700  (threshold 0.93)  s3://{BUCKET}/invoked/")
    far = json.loads(project.scones("invoke", str(project.picture("black.png", 0)), "--json").stdout)
    assert (far["outcome"], far["vehicle"], far["route"], far["confidence"]) == ("routed", "motorcycle", "far", 0.96)
    again = project.scones("invoke", far["picture"], "--no-wait").stdout.strip()
    assert project.execution(again)["status"] == "SUCCEEDED"


def test_low_confidence_fails_loudly_and_alerts(project: Project, alerts: Callable[[str], dict[str, Any]]) -> None:
    done = project.scones("invoke", str(project.picture("grey.png", 128)), "--json", expect=1)
    found = json.loads(done.stdout)
    assert (found["outcome"], found["error"], found["confidence"]) == ("unsure", "LowConfidence", 0.6)
    assert "LowConfidence: THRESHOLD_CONFIDENCE_NOT_MET: best guess bicycle at 0.6000, threshold 0.93." in done.stderr
    execution = project.execution(found["execution"])
    assert (execution["status"], execution["error"]) == ("FAILED", "LowConfidence")
    assert alerts("Scones: low confidence, delivery not routed")["image"] == found["picture"]


def test_what_is_no_picture_is_told_apart_from_low_confidence(project: Project) -> None:
    done = project.scones("invoke", "scones.toml", "--json", expect=1)
    assert (json.loads(done.stdout)["outcome"], json.loads(done.stdout)["error"]) == ("failed", "ImageRefused")
    assert "no such file" in project.scones("invoke", "nowhere.png", expect=1).stderr


def test_a_copied_picture_starts_the_workflow(project: Project) -> None:
    file = project.picture("a delivery.png", 255)
    project.aws("s3", "cp", "--only-show-errors", str(file), f"s3://{BUCKET}/incoming/2026/a delivery.png")

    def inputs() -> dict[str, str]:
        described = [project.execution(one["executionArn"]) for one in project.executions("inference")]
        return {json.loads(one["input"]).get("s3_key"): one["status"] for one in described}

    eventually(lambda: inputs().get("incoming/2026/a delivery.png") == "SUCCEEDED")


def test_the_aws_command_line_starts_an_execution(project: Project) -> None:
    project.clients["s3"].upload_file(str(project.picture("black.png", 0)), BUCKET, "pictures/black.png")
    request = json.dumps({"s3_bucket": BUCKET, "s3_key": "pictures/black.png"})
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PROJECT}-inference"
    started = project.aws("stepfunctions", "start-execution", "--state-machine-arn", machine, "--input", request)
    output = json.loads(project.execution(started["executionArn"])["output"])
    assert output["decision"]["route"] == "far"


def test_the_aws_command_line_asks_the_endpoint(project: Project) -> None:
    file = project.picture("white.png", 255)
    project.aws(
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", PROJECT, "--content-type", "image/png"),
        *("--body", f"fileb://{file}", str(project.folder / "answer.json")),
    )
    assert json.loads((project.folder / "answer.json").read_text()) == pytest.approx([0.97, 0.03])


def test_the_threshold_is_tuned_without_a_deployment(project: Project) -> None:
    grey = str(project.picture("grey.png", 128))
    assert project.scones("invoke", grey, "--threshold", "0.5").stdout.startswith("near  bicycle  0.6000")
    assert project.scones("threshold").stdout == "0.93\n"

    project.clients["s3"].upload_file(grey, BUCKET, "pictures/grey.png")
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PROJECT}-inference"
    request = {"stateMachineArn": machine, "input": json.dumps({"s3_bucket": BUCKET, "s3_key": "pictures/grey.png"})}

    def status() -> str:
        started = project.clients["stepfunctions"].start_execution(**request)
        return str(project.execution(started["executionArn"])["status"])

    try:
        project.scones("threshold", "0.55", "--why", "a test")
        eventually(lambda: status() == "SUCCEEDED")
    finally:
        project.scones("threshold", "--roll-back")
    eventually(lambda: status() == "FAILED")


def test_a_batch_leaves_its_summary(project: Project) -> None:
    for number, grey in enumerate([255, 255, 0, 128, 0]):
        project.clients["s3"].upload_file(str(project.picture("b.png", grey)), BUCKET, f"week/{number}.png")
    said = json.loads(project.scones("batch", "week/", "--json").stdout)
    assert said["counts"]["routes"] == {"far": 2, "near": 2}
    key = said["summary"].removeprefix(f"s3://{BUCKET}/")
    summary = json.loads(project.clients["s3"].get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert [one["key"] for one in summary["low_confidence"]] == ["week/3.png"]
    assert summary["decisions"] == {
        "week/0.png": "near",
        "week/1.png": "near",
        "week/2.png": "far",
        "week/4.png": "far",
    }
    assert "NoImages" in project.scones("batch", "nowhere/", expect=1).stderr


def test_captured_traffic_is_read_by_the_reader_of_the_real_files(project: Project, tmp_path: Path) -> None:
    found = json.loads(project.scones("invoke", str(project.picture("black.png", 0)), "--json").stdout)
    name = found["execution"].rpartition(":")[2]

    def records() -> list[capture.Record]:
        for entry in project.clients["s3"].list_objects_v2(Bucket=BUCKET, Prefix="captures/").get("Contents", []):
            file = tmp_path / entry["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            project.clients["s3"].download_file(BUCKET, entry["Key"], str(file))
        tally = capture.Tally()
        read = list(capture.read(capture.files(tmp_path), tally))
        assert tally.problems == []
        return [record for record in read if record.inference_id == name]

    eventually(records)
    [record] = records()
    assert record.probabilities == pytest.approx([0.04, 0.96])
    assert Image.open(io.BytesIO(record.picture())).size == (32, 32)


def test_a_model_that_was_registered_by_hand_has_no_test_cases(project: Project) -> None:
    assert "no test split" in project.scones("test-cases", expect=1).stderr
