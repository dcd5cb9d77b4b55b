"""The CloudFormation template against cfn-lint, the project's names and what it promises about safety."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import template
from scones.names import Names
from scones.settings import Settings

RESOURCES: dict[str, Any] = template.load()["Resources"]
PSEUDO = {"AWS::AccountId": "000000000000", "AWS::Region": "us-east-1", "AWS::Partition": "aws"}


def resolved(value: Any, project: str) -> Any:
    """`value` with Sub, Ref and GetAtt put in, as CloudFormation would for `project`."""
    bucket = f"{project}-000000000000-us-east-1"
    known = {**PSEUDO, "ProjectName": project, "Bucket": bucket, "Bucket.Arn": f"arn:aws:s3:::{bucket}"}
    if isinstance(value, list):
        return [resolved(one, project) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        for name, replacement in known.items():
            text = text.replace(f"${{{name}}}", replacement)
        return text
    if "Ref" in value:
        return known[value["Ref"]]
    if "Fn::GetAtt" in value:
        return known[".".join(value["Fn::GetAtt"])]
    return {key: resolved(one, project) for key, one in value.items()}


def statements(project: str = "scones-unlimited") -> list[dict[str, Any]]:
    policies = resolved(RESOURCES["PipelineRole"]["Properties"]["Policies"], project)
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def test_cfn_lint_finds_nothing() -> None:
    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", template.PATH],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


@pytest.mark.parametrize("project", ["abc", "scones-unlimited", "a" * 25])
def test_resources_have_the_names_that_the_code_derives(project: str) -> None:
    names = Names(Settings(project=project))
    assert resolved(RESOURCES["Bucket"]["Properties"]["BucketName"], project) == names.bucket
    assert resolved(RESOURCES["PipelineRole"]["Properties"]["RoleName"], project) == names.pipeline_role.split("/")[1]
    assert len(names.bucket) <= 63


def test_the_bucket_is_private_encrypted_versioned_and_outlives_the_stack() -> None:
    bucket = RESOURCES["Bucket"]
    properties = bucket["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert list(properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [refusal] = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_no_rule_ever_expires_a_current_object() -> None:
    for rule in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
        assert not {"ExpirationInDays", "ExpirationDate"} & rule.keys()


def test_the_role_allows_no_wildcard_action_and_no_resource_but_its_own() -> None:
    for statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        if statement["Resource"] == "*":
            assert actions == ["ecr:GetAuthorizationToken"] or "Condition" in statement


def test_the_role_passes_only_itself_and_only_to_sagemaker() -> None:
    [passing] = [statement for statement in statements() if "iam:PassRole" in statement["Action"]]
    assert passing["Resource"] == Names(Settings()).pipeline_role
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_only_sagemaker_on_this_accounts_behalf_may_assume_the_role() -> None:
    trust = resolved(RESOURCES["PipelineRole"]["Properties"]["AssumeRolePolicyDocument"], "x")
    [statement] = trust["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}


def test_inline_policies_stay_within_iams_limit() -> None:
    """IAM: at most 10,240 characters of inline policies for a role, white space aside."""
    documents = [json.dumps(s, separators=(",", ":")) for s in statements("a" * 25)]
    assert sum(map(len, documents)) < 10_000


def test_every_resource_that_can_be_tagged_names_the_project() -> None:
    for logical in ("Bucket", "PipelineRole"):
        assert {"Key": "Project", "Value": {"Ref": "ProjectName"}} in RESOURCES[logical]["Properties"]["Tags"]


def test_the_template_for_adopting_holds_nothing_but_the_bucket_and_its_name() -> None:
    alone = template.bucket_alone()
    assert list(alone["Resources"]) == ["Bucket"]
    assert list(alone["Resources"]["Bucket"]["Properties"]) == ["BucketName"]
    assert alone["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"
    assert "Outputs" not in alone
