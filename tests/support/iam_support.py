"""IAM as the tests see it: a role's statements out of the template, and AWS's simulator to judge requests by them.

The local simulator knows no request context, so conditions are evaluated here first: a statement whose conditions the
context meets counts without them, any other one does not count.
"""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass, field
from typing import Any

from infra import template

PROJECT = "scones-unlimited"
ACCOUNT = "000000000000"
REGION = "us-east-1"
BUCKET = f"{PROJECT}-{ACCOUNT}-{REGION}"
OF_THE_STACK: dict[str, Any] = template.load()["Resources"]
CI: dict[str, Any] = template.read(template.PARTS[0].with_name("ci.yaml"))
DESK: dict[str, Any] = template.read(template.PARTS[0].with_name("desk.yaml"))
RESOURCES: dict[str, Any] = OF_THE_STACK | CI["Resources"]  # no name is in both
ROLES = [logical for logical, one in OF_THE_STACK.items() if one["Type"] == "AWS::IAM::Role"]

Statement = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One API call: what is asked for, on what, and what AWS knows beside."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}" + (f" with {self.context}" if self.context else "")


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def objects(*keys: str) -> list[str]:
    return [f"arn:aws:s3:::{BUCKET}/{key}" for key in keys]


def passing(role: str, service: str = "sagemaker.amazonaws.com") -> Request:
    return Request("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{role}", {"iam:PassedToService": service})


def resolved(value: Any) -> Any:
    """`value` with the template's functions worked out, as CloudFormation would for `PROJECT`."""
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return _reference(value["Ref"])
    if "Fn::GetAtt" in value:
        logical, attribute = value["Fn::GetAtt"]
        assert attribute == "Arn", value
        return arn_of(logical)
    if "Fn::If" in value:
        return resolved(value["Fn::If"][1])  # as if every optional parameter were given
    if "Fn::Sub" in value:
        return _substituted(value["Fn::Sub"])
    return {key: resolved(one) for key, one in value.items()}


def _substituted(text: str) -> str:
    for part in {piece.split("}")[0] for piece in text.split("${")[1:]}:
        attribute = part.partition(".")[2]
        text = text.replace(f"${{{part}}}", arn_of(part.partition(".")[0]) if attribute else _reference(part))
    return text


def _reference(name: str) -> str:
    pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "ProjectName": PROJECT}
    if name in pseudo:
        return pseudo[name]
    if name not in RESOURCES:
        return name  # another parameter: what it is does not matter to a policy
    properties = RESOURCES[name]["Properties"]
    named = {"AWS::S3::Bucket": "BucketName", "AWS::SSM::Parameter": "Name", "AWS::CloudWatch::Alarm": "AlarmName"}
    kind = RESOURCES[name]["Type"]
    return str(resolved(properties[named[kind]])) if kind in named else arn_of(name)


def arn_of(logical: str) -> str:
    """The ARN that a resource of the templates will have."""
    kind, properties = RESOURCES[logical]["Type"], RESOURCES[logical]["Properties"]
    shapes = {
        "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/%s"),
        "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", f"arn:aws:iam::{ACCOUNT}:policy/%s"),
        "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::%s"),
        "AWS::SNS::Topic": ("TopicName", arn("sns", "%s")),
        "AWS::SQS::Queue": ("QueueName", arn("sqs", "%s")),
        "AWS::Lambda::Function": ("FunctionName", arn("lambda", "function:%s")),
        "AWS::StepFunctions::StateMachine": ("StateMachineName", arn("states", "stateMachine:%s")),
        "AWS::Logs::LogGroup": ("LogGroupName", arn("logs", "log-group:%s:*")),
        "AWS::CodeBuild::ReportGroup": ("Name", arn("codebuild", "report-group/%s")),
        "AWS::Events::Rule": ("Name", arn("events", "rule/%s")),
        "AWS::CloudWatch::Alarm": ("AlarmName", arn("cloudwatch", "alarm:%s")),
    }
    name, shape = shapes[kind]
    return shape % resolved(properties[name])


def statements(logical: str) -> list[Statement]:
    """Every statement of a role's policies."""
    policies = resolved(RESOURCES[logical]["Properties"]["Policies"])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def without(given: list[Statement], action: str) -> list[Statement]:
    """The statements with that action struck out."""
    kept = []
    for statement in given:
        actions = [one for one in listed(statement["Action"]) if one != action]
        if actions:
            kept.append({**statement, "Action": actions})
    return kept


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def refused(iam: Any, given: list[Statement], requests: list[Request]) -> list[str]:
    """Those of the requests that the statements do not allow."""
    return [str(request) for request in requests if not allows(iam, given, request)]


def allows(iam: Any, given: list[Statement], request: Request) -> bool:
    counting = [_unconditional(one) for one in given if _is_met(one.get("Condition", {}), request.context)]
    if not counting:
        return False
    answer = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps({"Version": "2012-10-17", "Statement": counting})],
        ActionNames=[request.action],
        ResourceArns=[request.resource],
    )
    return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def _unconditional(statement: Statement) -> Statement:
    return {key: value for key, value in statement.items() if key != "Condition"}


def _is_met(condition: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    compare = {"StringEquals": str.__eq__, "StringLike": fnmatch.fnmatchcase, "ArnLike": fnmatch.fnmatchcase}
    return all(
        any(compare[operator.removesuffix("IfExists")](context[key], one) for one in listed(wanted))
        if key in context
        else operator.endswith("IfExists")
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )
