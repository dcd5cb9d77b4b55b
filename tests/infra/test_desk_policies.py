"""infra/desk.yaml: what people need at the operations desk, held against the calls in the desk's own source."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from call_requests import ACTIONS, FREE
from cloud_fixtures import LocalCloud
from desk_calls import operations
from iam_support import (
    ACCOUNT,
    BUCKET,
    DESK,
    PROJECT,
    REGION,
    Request,
    Statement,
    allows,
    arn,
    listed,
    objects,
    refused,
    resolved,
    without,
)
from role_needs import BUCKET_ARN, CONFIG, ENDPOINT, GROUP, NOBODY, PACKAGE, PIPELINE

from infra import template
from monitoring.watch import labels

FILE = template.PARTS[0].with_name("desk.yaml")
READER, CHANGES = (
    resolved(DESK["Resources"][name]["Properties"]["PolicyDocument"])["Statement"] for name in ("Reader", "Changes")
)
POLICIES: dict[str, list[Statement]] = {"Reader": READER, "Changes": CHANGES}

EXECUTION = f"{PIPELINE}/execution/abcdefghijkl"
ANYBODYS = arn("sagemaker", "pipeline/somebody-elses")
PARAMETERS = [
    arn("ssm", f"parameter/{PROJECT}/inference/{name}") for name in ("threshold", "unfamiliarity", "live-model")
]
RUN = arn("states", f"execution:{PROJECT}-inference:0")
STREAM = "log-stream:pipelines-abc/algo-1"
LOGS = [arn("logs", f"log-group:{group}") for group in ("/aws/sagemaker/TrainingJobs", "/aws/lambda/somebodys-step")]
ANSWERS = [*objects(*(f"{folder}2026/11/20/10/a.jsonl" for folder in labels.prefixes(PROJECT)))]

LOOKING: dict[str, list[str]] = {
    # what is called: what it acts on
    "cloudwatch:DescribeAlarms": ["*"],
    "cloudwatch:GetMetricStatistics": ["*"],
    "logs:DescribeLogStreams": LOGS,
    "logs:FilterLogEvents": LOGS,
    "logs:GetLogEvents": [f"{group}:{STREAM}" for group in LOGS],
    "s3:GetObject": objects(
        f"captures/{PROJECT}/AllTraffic/2026/11/20/10/1.jsonl", "incoming/1.png", "alerts/open/d.json"
    ),
    "s3:HeadBucket": [BUCKET_ARN],
    "s3:HeadObject": objects("data/0/archive.tar.gz"),
    "s3:ListObjectsV2": [BUCKET_ARN],
    "sagemaker:DescribeEndpoint": [ENDPOINT],
    "sagemaker:DescribeEndpointConfig": [CONFIG],
    "sagemaker:DescribeHyperParameterTuningJob": [arn("sagemaker", "hyper-parameter-tuning-job/j")],
    "sagemaker:DescribeModel": [arn("sagemaker", "model/m")],
    "sagemaker:DescribeModelPackage": [PACKAGE, arn("sagemaker", "model-package/another/1")],
    "sagemaker:DescribePipeline": [PIPELINE, ANYBODYS],
    **{
        f"sagemaker:{one}": [EXECUTION, f"{ANYBODYS}/execution/abcdefghijkl"]
        for one in (
            "DescribePipelineDefinitionForExecution",
            "DescribePipelineExecution",
            "ListPipelineExecutionSteps",
            "ListPipelineParametersForExecution",
        )
    },
    **{
        f"sagemaker:Describe{kind}Job": [arn("sagemaker", f"{kind.lower()}-job/j")]
        for kind in ("Processing", "Training", "Transform")
    },
    "sagemaker:ListModelPackages": [GROUP],
    "sagemaker:ListPipelineExecutions": [PIPELINE, ANYBODYS],
    "sagemaker:ListPipelines": ["*"],
    "ssm:GetParameter": PARAMETERS,
    "ssm:GetParameterHistory": PARAMETERS,
    "stepfunctions:DescribeExecution": [RUN],
    "stepfunctions:GetExecutionHistory": [RUN],
    "stepfunctions:ListExecutions": [
        arn("states", f"stateMachine:{PROJECT}-{name}") for name in ("inference", "deploy")
    ],
}
CHANGING: dict[str, list[str]] = {
    "s3:DeleteObject": ANSWERS,
    "s3:PutObject": ANSWERS,
    "sagemaker:RetryPipelineExecution": [EXECUTION],
    "sagemaker:StartPipelineExecution": [PIPELINE],
    "sagemaker:StopPipelineExecution": [EXECUTION],
    "sagemaker:UpdateModelPackage": [PACKAGE],
    "ssm:PutParameter": PARAMETERS[:1],
    "stepfunctions:StartExecution": [arn("states", f"stateMachine:{PROJECT}-batch")],
}
NEVER = [
    *(one for one in NOBODY if not one.action.startswith(("sagemaker:UpdateModelPackage", "ssm:PutParameter"))),
    *(Request("ssm:PutParameter", one) for one in PARAMETERS[1:]),
    *(
        Request(f"s3:{verb}Object", one)
        for verb in ("Put", "Delete")
        for one in objects("captures/1.jsonl", "models/m")
    ),
    Request("sagemaker:UpdateModelPackage", arn("sagemaker", "model-package/another/1")),
    Request("sagemaker:InvokeEndpoint", ENDPOINT),
    Request("sagemaker:CreatePipeline", PIPELINE),
    Request("sagemaker:StartPipelineExecution", ANYBODYS),
    Request("sagemaker:StopPipelineExecution", f"{ANYBODYS}/execution/abcdefghijkl"),
    Request("states:StartExecution", arn("states", f"stateMachine:{PROJECT}-deploy")),
]


def requests(needed: dict[str, list[str]]) -> list[Request]:
    """What IAM is asked about these calls."""
    return [
        Request(ACTIONS.get(call, call.replace("stepfunctions:", "states:")), one)
        for call, resources in needed.items()
        for one in resources
    ]


NEEDED = {"Reader": requests(LOOKING), "Changes": requests(CHANGING)}


def test_every_call_in_the_desks_source_is_one_of_looking_or_of_changing() -> None:
    assert operations() - FREE == {*LOOKING, *CHANGING}
    assert not [one for one in LOOKING if not re.search(":(Describe|Filter|Get|Head|List)", one)]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_allows_what_its_part_of_the_desk_calls(iam: Any, policy: str) -> None:
    assert refused(iam, POLICIES[policy], NEEDED[policy]) == []


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_has_no_action_that_nothing_calls(policy: str) -> None:
    allowed = {action for statement in POLICIES[policy] for action in listed(statement["Action"])}
    assert allowed == {request.action for request in NEEDED[policy]}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_that_lacks_an_action_is_found_and_the_action_named(iam: Any, policy: str) -> None:
    for request in {one.action: one for one in NEEDED[policy]}.values():
        [found] = refused(iam, without(POLICIES[policy], request.action), [request])
        assert found.startswith(f"{request.action} on ")


def test_neither_allows_what_nobody_at_the_desk_should_do(iam: Any) -> None:
    assert [str(one) for one in NEVER if allows(iam, [*READER, *CHANGES], one)] == []


def test_who_looks_may_change_nothing(iam: Any) -> None:
    assert [str(one) for one in NEEDED["Changes"] if allows(iam, READER, one)] == []


def test_cfn_lint_finds_nothing() -> None:
    command = (Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", FILE)
    lint = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


def test_no_other_account_region_or_bucket_is_named() -> None:
    every = [resource for one in (*READER, *CHANGES) for resource in listed(one["Resource"])]
    elsewhere = [one for one in every if one != "*" and f":{REGION}:{ACCOUNT}:" not in one and BUCKET not in one]
    assert elsewhere == []


def test_the_stack_makes_both_policies_and_names_them(on_local_cloud: LocalCloud) -> None:
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName="desk-policies",
        TemplateBody=json.dumps(DESK),
        Parameters=[{"ParameterKey": "ProjectName", "ParameterValue": "looked-at"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="desk-policies", WaiterConfig={"Delay": 1})
    [stack] = cloudformation.describe_stacks(StackName="desk-policies")["Stacks"]
    made = {one["OutputKey"]: one["OutputValue"].rpartition("/")[2] for one in stack["Outputs"]}
    assert made == {"Reader": "looked-at-desk-reader", "Changes": "looked-at-desk-changes"}
