"""What a build's role must allow, derived from CloudFormation's resource schemas instead of picked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from handler_permissions import ACTED_ON, FOR, HANDLERS, WITHHELD, called, schema, takes_resources
from iam_support import (
    ACCOUNT,
    BUCKET,
    CI,
    OF_THE_STACK,
    PROJECT,
    REGION,
    Request,
    arn,
    passing,
    refused,
    resolved,
    statements,
    without,
)

KINDS = sorted({one["Type"] for one in OF_THE_STACK.values()})
BOUNDED = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-boundary"}
LONGEST_INLINE = 10_240
"""Characters of all inline policies of a role together, white space aside (IAM's quotas)."""
PASSED = {
    "AWS::Lambda::Function": "lambda",
    "AWS::StepFunctions::StateMachine": "states",
    "AWS::Events::Rule": "events",
}
OBJECT = f"arn:aws:s3:::{BUCKET}/lambda/0/functions.zip"
ELSEWHERE = {  # what a handler acts on beside its own resource
    "s3:GetObject": OBJECT,
    "lambda:GetLayerVersion": arn("lambda", f"layer:{PROJECT}-libraries:1"),
    "lambda:DeleteLayerVersion": arn("lambda", f"layer:{PROJECT}-libraries:1"),
}
UNNAMED = {"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"}
"""SNS judges these without a resource, although the reference lists the topic: only `*` is sure to allow them."""


def needs(kind: str) -> list[Request]:
    """The requests that a build makes for the stack's resources of one kind."""
    resources, found = [one for one in OF_THE_STACK.values() if one["Type"] == kind], []
    for action in sorted(called(kind, resources)):
        if action == "iam:PassRole":
            service = PASSED.get(kind)
            found += [passing(f"{PROJECT}-deploy", f"{service}.amazonaws.com")] if service else []
            continue
        on = ELSEWHERE.get(action, ACTED_ON[kind]) if takes_resources(action) and action not in UNNAMED else "*"
        found.append(Request(action, on, BOUNDED if action.startswith("iam:") else {}))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_build_may_do_what_cloudformation_does_for_every_type_of_resource(iam: Any, kind: str) -> None:
    assert refused(iam, statements("Role"), needs(kind)) == []


def test_what_is_missing_is_named(iam: Any) -> None:
    [request] = [one for one in needs("AWS::Lambda::Function") if one.action == "lambda:GetRuntimeManagementConfig"]
    assert refused(iam, without(statements("Role"), request.action), [request]) == [str(request)]


def test_a_property_that_somebody_begins_to_use_brings_its_actions() -> None:
    [function, *_] = [one for one in OF_THE_STACK.values() if one["Type"] == "AWS::Lambda::Function"]
    reserved = {**function, "Properties": {**function["Properties"], "ReservedConcurrentExecutions": 5}}
    more = called("AWS::Lambda::Function", [reserved]) - called("AWS::Lambda::Function", [function])
    assert more == FOR["ReservedConcurrentExecutions"]


def test_every_exception_stands_for_a_property_and_actions_of_a_schema() -> None:
    schemas = [schema(kind) for kind in KINDS]
    text = json.dumps(schemas)
    handlers = [each.get("handlers", {}).get(one, {}) for each in schemas for one in HANDLERS]
    named = {action for handler in handlers for action in handler.get("permissions", [])}
    services = {f"{one.partition(':')[0]}:*" for one in named}
    for name, actions in FOR.items():
        assert all(f'"{part}":' in text for part in name.split("/")), name
        assert actions <= named | services, name
    assert set(WITHHELD) <= named


def test_the_policies_of_the_builds_role_are_as_long_as_iam_takes_with_the_longest_name() -> None:
    policies = resolved(CI["Resources"]["Role"]["Properties"]["Policies"])
    text = "".join(json.dumps(one["PolicyDocument"], separators=(",", ":")) for one in policies)
    assert len(text.replace(PROJECT, "a" * 25).replace(REGION, "ap-southeast-1")) <= LONGEST_INLINE


def test_the_connection_is_allowed_under_both_of_its_names() -> None:
    """CodeConnections was CodeStar Connections: ARNs of either name are in use, each with actions of its own name."""
    allowed = {one for each in statements("Role") if each.get("Sid") == "ReadTheSource" for one in each["Action"]}
    verbs = {one.partition(":")[2] for one in allowed}
    assert allowed == {f"{name}:{verb}" for name in ("codeconnections", "codestar-connections") for verb in verbs}
    accepted = CI["Parameters"]["Connection"]["AllowedPattern"]
    assert "(codeconnections|codestar-connections)" in accepted
