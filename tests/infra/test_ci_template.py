"""infra/ci.yaml: the build project, and a role that can deploy the project's stack but not widen itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from iam_support import (
    ACCOUNT,
    BUCKET,
    CI,
    OF_THE_STACK,
    PROJECT,
    Request,
    allows,
    arn,
    objects,
    passing,
    refused,
    resolved,
    statements,
    without,
)

from infra import job_logs, template

ROOT = Path(__file__).parents[2]
FILE = template.PARTS[0].with_name("ci.yaml")
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-deploy"
OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-ci"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-boundary"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}  # as IAM tells it: the role's boundary, or the one it is to get
ADMINISTRATOR = {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
FUNCTION = arn("lambda", f"function:{PROJECT}-deploy")

HANDLE_BOUNDED = [
    *("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
    *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
]

STACK = arn("cloudformation", f"stack/{PROJECT}/0")
PIPELINE = arn("sagemaker", f"pipeline/{PROJECT}")
COMMANDS = [
    *(Request(f"cloudformation:{verb}", STACK) for verb in ("CreateChangeSet", "ExecuteChangeSet", "DescribeStacks")),
    *(Request(f"sagemaker:{verb}Pipeline", PIPELINE) for verb in ("Create", "Describe", "Update")),
    *(Request(f"sagemaker:{verb}", PIPELINE) for verb in ("AddTags", "ListPipelineVersions", "StartPipelineExecution")),
    *(Request("s3:PutObject", one) for one in objects("code/0/run.py", "lambda/0/functions.zip", "cloudformation/0/t")),
    Request("s3:ListBucket", BUCKET_ARN),
    Request("iam:GetPolicy", BOUNDARY),
    passing(f"{PROJECT}-pipeline"),
    *(passing(f"{PROJECT}-deploy", f"{one}.amazonaws.com") for one in ("lambda", "states", "events")),
    *(
        Request(f"logs:{verb}", arn("logs", f"log-group:/aws/sagemaker/{group}"))
        for verb in ("CreateLogGroup", "PutRetentionPolicy")
        for group in (*job_logs.SHARED, f"Endpoints/{PROJECT}")
    ),
]
NEVER = [
    *(Request(action, OWN_ROLE, BOUNDED) for action in [*HANDLE_BOUNDED, "iam:AttachRolePolicy", "iam:DeleteRole"]),
    *(Request(action, ROLE, context) for action in HANDLE_BOUNDED for context in ({}, ADMINISTRATOR)),
    *(Request("iam:DeleteRolePermissionsBoundary", ROLE, context) for context in ({}, BOUNDED)),
    *(Request(f"iam:{verb}", BOUNDARY) for verb in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy")),
    Request("iam:CreatePolicy", f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-boundary-2"),
    Request("iam:AttachRolePolicy", ROLE, BOUNDED),
    Request("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/Administrator"),
    Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/u"),
    passing(f"{PROJECT}-deploy", "ec2.amazonaws.com"),
    passing("Administrator", "lambda.amazonaws.com"),
    Request("sagemaker:UpdateModelPackage", arn("sagemaker", f"model-package/{PROJECT}/1")),
    Request("sagemaker:CreateEndpoint", arn("sagemaker", f"endpoint/{PROJECT}")),
    Request("sagemaker:DeletePipeline", PIPELINE),
    Request("s3:DeleteBucket", BUCKET_ARN),
    Request("s3:DeleteObject", f"{BUCKET_ARN}/models/1/model.tar.gz"),
    Request("lambda:UpdateFunctionCode", arn("lambda", "function:another")),
    Request("lambda:InvokeFunction", FUNCTION),
    Request("cloudformation:ExecuteChangeSet", arn("cloudformation", f"stack/{PROJECT}-ci/0")),
    Request("logs:PutRetentionPolicy", arn("logs", "log-group:/aws/sagemaker/Endpoints/another")),
    Request("logs:DeleteLogGroup", arn("logs", f"log-group:/aws/codebuild/{PROJECT}:*")),
]


def test_cfn_lint_finds_nothing() -> None:
    command = (Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", FILE)
    lint = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


def test_the_linter_knows_actions_and_finds_a_misspelt_one(tmp_path: Path) -> None:
    """cfn-lint is the policy linter here: it must bite."""
    wrong = tmp_path / "ci.yaml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("- sagemaker:CreatePipeline\n", "- sagemaker:MakePipe\n"))
    command = (Path(sys.executable).with_name("cfn-lint"), "--", wrong)
    lint = subprocess.run(command, capture_output=True, text=True, check=False)
    assert lint.returncode != 0
    assert "makepipe" in lint.stdout.lower()


def test_a_build_may_do_what_its_commands_do(iam: Any) -> None:
    assert refused(iam, statements("Role"), COMMANDS) == []


def test_a_build_may_not_widen_its_own_role_approve_a_model_or_delete_data(iam: Any) -> None:
    assert [str(one) for one in NEVER if allows(iam, statements("Role"), one)] == []


@pytest.mark.parametrize("request_", COMMANDS, ids=str)
def test_a_role_that_lacks_an_action_is_found_and_the_action_named(iam: Any, request_: Request) -> None:
    [found] = refused(iam, without(statements("Role"), request_.action), [request_])
    assert found.startswith(f"{request_.action} on ")


def test_reports_go_where_the_buildspec_sends_them() -> None:
    [report] = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))["reports"]
    builds, reports = CI["Resources"]["Builds"]["Properties"], CI["Resources"]["Reports"]["Properties"]
    assert resolved(reports["Name"]) == f"{resolved(builds['Name'])}-{report}"


def test_a_push_to_the_branch_starts_a_build_and_nothing_else_does() -> None:
    triggers = CI["Resources"]["Builds"]["Properties"]["Triggers"]
    [filters] = triggers["FilterGroups"]
    assert triggers["Webhook"] is True
    assert [one["Type"] for one in filters] == ["EVENT", "HEAD_REF"]
    assert filters[0]["Pattern"] == "PUSH"


def test_everything_that_can_be_tagged_names_the_project() -> None:
    untaggable = {"AWS::IAM::ManagedPolicy"}  # IAM would, CloudFormation does not
    for resource in (one for one in CI["Resources"].values() if one["Type"] not in untaggable):
        assert {"Key": "Project", "Value": {"Ref": "ProjectName"}} in resource["Properties"]["Tags"]


def test_the_dashboard_shows_what_people_ask_first() -> None:
    text = OF_THE_STACK["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    assert all(len(json.dumps(widget["properties"]["metrics"])) > 2 for widget in widgets)
    for wanted in (
        "Confidence",
        "low_confidence",
        "drift_severity",
        "accuracy",
        "ModelLatency",
        "5XXErrors",
        "ExecutionsFailed",
        "Capture",
    ):
        assert wanted in text
