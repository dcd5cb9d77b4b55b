"""What bills can be switched off, on again and deleted, however much of it is left: `scones endpoint` and `cleanup`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_fixtures import BIN, LocalCloud, run
from endpoint_support import PYTORCH_INFERENCE, archive

from infra import template

PROJECT = "tidy"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
NEIGHBOUR = "tidy-v2"
CODE = """
    def model_fn(folder):
        return None

    def transform_fn(model, body, content_type, accept):
        return "[0.9, 0.1]", "application/json"
"""


def builds() -> str:
    """infra/ci.yaml without its report group, a type that MiniStack's CloudFormation does not have."""
    content = template.read(template.PARTS[0].with_name("ci.yaml"))
    del content["Resources"]["Reports"]
    own = content["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    own["Statement"] = [one for one in own["Statement"] if one["Sid"] != "WriteReports"]
    return json.dumps(content)


def make_build_stack(cloudformation: Any, stack: str, project: str) -> None:
    connection = "arn:aws:codeconnections:us-east-1:000000000000:connection/1"
    given = {"ProjectName": project, "Repository": "https://github.com/you/scones.git", "Connection": connection}
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=builds(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


@dataclass(frozen=True)
class Project:
    folder: Path
    environment: dict[str, str]
    clients: dict[str, Any]

    def scones(self, *words: str, expect: int = 0) -> tuple[str, str]:
        done = run(BIN / "scones", *words, environment=self.environment, folder=self.folder)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout, done.stderr

    def found(self) -> list[tuple[str, str]]:
        listed, _ = self.scones("cleanup", "--data", "--dry-run", "--json")
        return [(item["kind"], item["name"]) for item in json.loads(listed)["found"]]


@pytest.fixture
def project(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Project]:
    """A project with a live version, and a neighbour whose name begins with the project's."""
    (tmp_path / "scones.toml").write_text(f'project = "{PROJECT}"\n[serving]\nbake_seconds = 0\n', encoding="utf-8")
    session = boto3.Session("test", "test", region_name="us-east-1")
    services = ("s3", "cloudformation", "logs", "codebuild", "iam")
    clients = {name: session.client(name, endpoint_url=local_cloud.addresses.ministack) for name in services}
    clients["sagemaker"] = session.client("sagemaker", endpoint_url=local_cloud.addresses.sagemaker)
    made = Project(tmp_path, local_cloud.environment, clients)
    make_build_stack(clients["cloudformation"], f"{PROJECT}-ci", PROJECT)
    made.scones("infra", "deploy")
    key = "models/1/model.tar.gz"
    clients["s3"].put_object(
        Bucket=BUCKET, Key=key, Body=archive({"code/inference.py": textwrap.dedent(CODE).encode()})
    )
    container = {"Image": PYTORCH_INFERENCE, "ModelDataUrl": f"s3://{BUCKET}/{key}"}
    clients["sagemaker"].create_model_package_group(ModelPackageGroupName=PROJECT)
    clients["sagemaker"].create_model_package(
        ModelPackageGroupName=PROJECT,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["image/png"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        CustomerMetadataProperties={"classes": "bicycle motorcycle"},
    )
    role = f"arn:aws:iam::000000000000:role/{NEIGHBOUR}-model"
    clients["sagemaker"].create_model(
        ModelName=f"{NEIGHBOUR}-v1-00000000", PrimaryContainer=container, ExecutionRoleArn=role
    )
    clients["logs"].create_log_group(logGroupName=f"/aws/lambda/{NEIGHBOUR}-deploy")
    yield made
    clients["sagemaker"].delete_model(ModelName=f"{NEIGHBOUR}-v1-00000000")
    clients["logs"].delete_log_group(logGroupName=f"/aws/lambda/{NEIGHBOUR}-deploy")


def test_an_endpoint_goes_off_and_on_and_a_cleanup_leaves_nothing_that_bills(project: Project) -> None:
    _, told = project.scones("approve", "--wait")
    assert f"endpoint {PROJECT}, 1 x ml.m5.large" in told, "what bills by the hour is said first"
    sagemaker = project.clients["sagemaker"]
    config = sagemaker.describe_endpoint(EndpointName=PROJECT)["EndpointConfigName"]

    project.scones("endpoint", "stop")
    assert ("endpoint", PROJECT) not in project.found()
    assert "off already" in project.scones("endpoint", "stop")[1]
    _, told = project.scones("endpoint", "start")
    assert "is in service" in told
    assert sagemaker.describe_endpoint(EndpointName=PROJECT)["EndpointConfigName"] == config

    project.clients["s3"].put_object(Bucket=BUCKET, Key="captures/a.jsonl", Body=b"{}")
    kinds = [kind for kind, _ in project.found()]
    assert list(dict.fromkeys(kinds)) == [
        *("monitoring schedule", "endpoint", "endpoint configuration", "model"),
        *("stack", "build stack", "log group", "captured data"),
    ]
    _, refusal = project.scones("cleanup", "--yes", "tidi", expect=2)
    assert "nothing was deleted" in refusal
    assert ("endpoint", PROJECT) in project.found()

    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    project.clients["logs"].delete_log_group(logGroupName=f"/aws/lambda/{PROJECT}-deploy")
    project.clients["codebuild"].delete_project(name=PROJECT)
    _, told = project.scones("cleanup", "--yes", PROJECT, "--data")
    assert "Listed again: nothing that bills is left" in told
    assert project.found() == []
    assert not sagemaker.list_endpoints(NameContains=PROJECT)["Endpoints"]
    assert project.clients["codebuild"].batch_get_projects(names=[PROJECT])["projects"] == []
    policies = project.clients["iam"].list_policies(Scope="Local")["Policies"]
    assert f"{PROJECT}-boundary" not in {policy["PolicyName"] for policy in policies}
    assert "Contents" not in project.clients["s3"].list_objects_v2(Bucket=BUCKET, Prefix="captures/")
    assert project.clients["s3"].list_objects_v2(Bucket=BUCKET, Prefix="models/")["KeyCount"] == 1, "models are kept"
    assert [model["ModelName"] for model in sagemaker.list_models(NameContains=PROJECT)["Models"]] == [
        f"{NEIGHBOUR}-v1-00000000"
    ]
    groups = project.clients["logs"].describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{PROJECT}")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [f"/aws/lambda/{NEIGHBOUR}-deploy"]
    assert "Nothing that bills is there" in project.scones("cleanup")[1]


def test_another_project_whose_name_looks_like_the_build_stack_is_left_alone(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    (tmp_path / "scones.toml").write_text('project = "alike"\n', encoding="utf-8")
    cloudformation: Any = boto3.Session("test", "test", region_name="us-east-1").client(
        "cloudformation", endpoint_url=local_cloud.addresses.ministack
    )
    make_build_stack(cloudformation, "alike-ci", "alike-ci")
    assert Project(tmp_path, local_cloud.environment, {}).found() == []
    cloudformation.delete_stack(StackName="alike-ci")
