"""The permissions boundary: enough for every role of the stack, nothing of what nobody should, and on every role."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import iam_support as at
import pytest
from botocore.exceptions import ClientError
from cloud_fixtures import LocalCloud
from iam_support import CI, ROLES, allows, listed, refused, resolved, statements, without
from role_needs import NEEDED, NOBODY

from infra import stack, template
from localcloud import up
from project.names import Names
from project.settings import Settings

POLICY: dict[str, Any] = CI["Resources"]["Boundary"]
BOUNDARY: list[dict[str, Any]] = resolved(POLICY["Properties"]["PolicyDocument"])["Statement"]
LIMITED = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
LONGEST_POLICY = 6144
"""Characters of a managed policy, white space aside (IAM's quotas)."""


@pytest.mark.parametrize("role", ROLES)
def test_a_role_within_the_boundary_may_still_do_what_its_code_does(iam: Any, role: str) -> None:
    """What a role may do is what both its own policies and the boundary allow."""
    assert refused(iam, BOUNDARY, NEEDED[role]) == []


def test_no_policy_of_a_role_can_allow_what_nobody_should_do(iam: Any) -> None:
    assert [str(one) for one in NOBODY if allows(iam, BOUNDARY, one)] == []


def test_a_boundary_that_lacks_an_action_is_found_and_the_action_named(iam: Any) -> None:
    needed = {request.action: request for role in ROLES for request in NEEDED[role]}
    for action, request in needed.items():
        assert [one.split(" on ")[0] for one in refused(iam, without(BOUNDARY, action), [request])] == [action]


def test_the_boundary_has_no_action_that_no_role_has() -> None:
    allowed = {action for statement in BOUNDARY for action in listed(statement["Action"])}
    assert allowed == {action for role in ROLES for one in statements(role) for action in listed(one["Action"])}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_stack_takes_the_boundary(role: str) -> None:
    assert at.OF_THE_STACK[role]["Properties"].get("PermissionsBoundary") == LIMITED


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "ap-southeast-1"), ("aws-cn", "cn-northwest-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_the_boundary_is_as_long_as_iam_takes_with_the_longest_names(partition: str, region: str) -> None:
    values = {"Partition": partition, "Region": region, "AccountId": "123456789012"}

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, dict):
            return value
        text = value.get("Fn::Sub")
        if text is None:
            return {key: filled(one) for key, one in value.items()}
        for name, replacement in values.items():
            text = text.replace(f"${{AWS::{name}}}", replacement)
        return text.replace("${ProjectName}", "a" * 25)

    document = json.dumps(filled(POLICY["Properties"]["PolicyDocument"]), separators=(",", ":"))
    assert "${" not in document
    assert f"arn:{partition}:sagemaker:{region}:" in document
    assert len(document) <= LONGEST_POLICY


@pytest.mark.parametrize(
    "file",
    [*template.PARTS, *(template.PARTS[0].with_name(name) for name in ("ci.yaml", "desk.yaml"))],
    ids=lambda file: file.name,
)
def test_no_template_takes_the_partition_for_granted(file: Path) -> None:
    assert "arn:aws:" not in file.read_text(encoding="utf-8")


def test_a_deploy_finds_the_boundary_by_itself_and_takes_it_off_only_when_told(on_local_cloud: LocalCloud) -> None:
    names = Names(Settings(project="bounded"))
    told: list[str] = []
    cloudformation: Any = boto3.client("cloudformation")

    def limit() -> str:
        given = cloudformation.describe_stacks(StackName=names.stack)["Stacks"][0]["Parameters"]
        return str({one["ParameterKey"]: one["ParameterValue"] for one in given}["PermissionsBoundary"])

    stack.deploy(names, told.append, layer="none")
    assert (limit(), stack.boundary(names)) == ("", "")
    only = {"Parameters": {"ProjectName": CI["Parameters"]["ProjectName"]}, "Resources": {"Boundary": POLICY}}
    cloudformation.create_stack(
        StackName="bounded-ci",
        TemplateBody=json.dumps(only),
        Parameters=[{"ParameterKey": "ProjectName", "ParameterValue": "bounded"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="bounded-ci", WaiterConfig={"Delay": 1})
    arn = "arn:aws:iam::000000000000:policy/bounded-boundary"
    changed = {change.resource for change in stack.diff(names, layer="none") if change.type == "AWS::IAM::Role"}
    assert changed == set(ROLES)
    stack.deploy(names, told.append, layer="none")
    assert limit() == arn
    assert f"No role may do more than {arn} allows." in told  # beside what is said of log groups that others made
    assert stack.diff(names, layer="none") == []
    stack.deploy(names, told.append, layer="none", bounded=False)
    assert limit() == ""


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def session(root: boto3.Session, address: str, role: str, limit: dict[str, str]) -> boto3.Session:
    """Somebody in a new role that is allowed everything, within the `limit`."""
    iam, trusted = root.client("iam", endpoint_url=address), {"AWS": f"arn:aws:iam::{at.ACCOUNT}:root"}
    trust = policy(Principal=trusted, Action="sts:AssumeRole")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, **limit)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=policy(Action="*", Resource="*"))
    sts = root.client("sts", endpoint_url=address)
    given = sts.assume_role(RoleArn=arn, RoleSessionName="commit")["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=at.REGION)


def test_a_role_that_a_commit_allowed_everything_still_does_no_more_than_the_boundary(state: Path) -> None:
    """Real refusals, by a cloud that enforces roles, of which the boundary is the only limit."""
    address = up.start(state, port=0, sagemaker_port=0, enforce_roles=True).addresses.ministack
    root = boto3.Session("test", "test", region_name=at.REGION)
    root.client("s3", endpoint_url=address).create_bucket(Bucket=at.BUCKET)
    document = json.dumps(resolved(POLICY["Properties"]["PolicyDocument"]))
    made = root.client("iam", endpoint_url=address).create_policy(PolicyName="limit", PolicyDocument=document)
    limited = session(root, address, "limited", {"PermissionsBoundary": made["Policy"]["Arn"]})
    free = session(root, address, "free", {})

    def attempts(who: boto3.Session) -> dict[str, bool]:
        s3, iam, ssm = (who.client(one, endpoint_url=address) for one in ("s3", "iam", "ssm"))
        value: dict[str, Any] = {"Value": "0", "Type": "String", "Overwrite": True}
        calls = {
            "write an object": lambda: s3.put_object(Bucket=at.BUCKET, Key="executions/e/1", Body=b""),
            "say what is live": lambda: ssm.put_parameter(Name=f"/{at.PROJECT}/inference/live-model", **value),
            "lower the threshold": lambda: ssm.put_parameter(Name=f"/{at.PROJECT}/inference/threshold", **value),
            "open the bucket": lambda: s3.delete_public_access_block(Bucket=at.BUCKET),
            "make a user": lambda: iam.create_user(UserName="me"),
            "take the limit off": lambda: iam.delete_role_permissions_boundary(RoleName="limited"),
        }
        return {what: _succeeds(call) for what, call in calls.items()}

    within = {"write an object", "say what is live"}
    assert {what for what, done in attempts(limited).items() if done} == within
    assert all(attempts(free).values())


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
        return False
    return True
