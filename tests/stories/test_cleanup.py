"""What bills can be switched off, on again and deleted, however much of it is left: `scones endpoint` and `cleanup`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloud_fixtures import ANY_ROLE, LocalCloud
from endpoint_support import PYTORCH_INFERENCE
from story_support import Story, always

from infra import template

PROJECT = "tidy"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
NEIGHBOUR = "tidy-v2"
FREE_MODEL: dict[str, Any] = {
    "ModelName": "pipelines-abcdefghijkl-CreateModel-xyz",
    "PrimaryContainer": {"Image": PYTORCH_INFERENCE},
}


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
class Project(Story):
    """A project, and what `scones cleanup` finds of it."""

    def found(self) -> list[tuple[str, str]]:
        listed = self.scones("cleanup", "--data", "--dry-run", "--json").stdout
        return [(item["kind"], item["name"]) for item in json.loads(listed)["found"]]


@pytest.fixture
def project(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Project]:
    """A project with a live version, and a neighbour whose name begins with the project's."""
    made = Project.begin(local_cloud, PROJECT, tmp_path, "cloudformation", "logs", "codebuild", "iam")
    clients = made.clients
    make_build_stack(clients["cloudformation"], f"{PROJECT}-ci", PROJECT)
    made.deploy()
    version = clients["sagemaker"].describe_model_package(ModelPackageName=made.register(always("[0.9, 0.1]")))
    [container] = version["InferenceSpecification"]["Containers"]
    clients["sagemaker"].create_model(
        ModelName=f"{NEIGHBOUR}-v1-00000000", PrimaryContainer=container, ExecutionRoleArn=ANY_ROLE
    )
    clients["logs"].create_log_group(logGroupName=f"/aws/lambda/{NEIGHBOUR}-deploy")
    yield made
    clients["sagemaker"].delete_model(ModelName=f"{NEIGHBOUR}-v1-00000000")
    clients["logs"].delete_log_group(logGroupName=f"/aws/lambda/{NEIGHBOUR}-deploy")


def test_an_endpoint_goes_off_and_on_and_a_cleanup_leaves_nothing_that_bills(project: Project) -> None:
    told = project.scones("approve", "--wait").stderr
    assert "Billed on AWS" not in told, "nothing bills here"
    sagemaker = project.clients["sagemaker"]
    config = sagemaker.describe_endpoint(EndpointName=PROJECT)["EndpointConfigName"]

    project.scones("endpoint", "stop")
    assert ("endpoint", PROJECT) not in project.found()
    assert "off already" in project.scones("endpoint", "stop").stderr
    told = project.scones("endpoint", "start").stderr
    assert "is in service" in told
    assert sagemaker.describe_endpoint(EndpointName=PROJECT)["EndpointConfigName"] == config

    project.clients["s3"].put_object(Bucket=BUCKET, Key="captures/a.jsonl", Body=b"{}")
    left_by_a_pipeline = {**FREE_MODEL, "ExecutionRoleArn": f"arn:aws:iam::000000000000:role/{PROJECT}-pipeline"}
    sagemaker.create_model(**left_by_a_pipeline)
    assert ("model", FREE_MODEL["ModelName"]) in project.found()
    kinds = [kind for kind, _ in project.found()]
    assert list(dict.fromkeys(kinds)) == [
        *("monitoring schedule", "endpoint", "alarm", "endpoint configuration", "model"),
        *("stack", "build stack", "log group", "captured data"),
    ]
    refusal = project.scones("cleanup", "--yes", "tidi", expect=2).stderr
    assert "nothing was deleted" in refusal
    assert ("endpoint", PROJECT) in project.found()

    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    project.clients["logs"].delete_log_group(logGroupName=f"/aws/lambda/{PROJECT}-deploy")
    project.clients["codebuild"].delete_project(name=PROJECT)
    told = project.scones("cleanup", "--yes", PROJECT, "--data").stderr
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
    assert "Nothing that bills is there" in project.scones("cleanup").stderr


def test_another_project_whose_name_looks_like_the_build_stack_is_left_alone(
    local_cloud: LocalCloud, tmp_path: Path
) -> None:
    alike = Project.begin(local_cloud, "alike", tmp_path, "cloudformation")
    make_build_stack(alike.clients["cloudformation"], "alike-ci", "alike-ci")
    assert alike.found() == []
    alike.clients["cloudformation"].delete_stack(StackName="alike-ci")
