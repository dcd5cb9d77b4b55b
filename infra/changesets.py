"""Change sets: what CloudFormation would do to the stack, known before it is done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra import events
from project import aws, s3
from project.errors import CloudError
from project.names import Names
from project.waiting import wait_between_looks

PATIENCE = 1800.0
"""Seconds until CloudFormation must be done."""

LONGEST_BODY = 51_200
"""Bytes of a template that CloudFormation takes in a request; from S3 it takes a million."""

_ACTIONS = {"Add": "create", "Modify": "change", "Remove": "delete", "Import": "adopt", "Dynamic": "perhaps change"}
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class ResourceChange:
    """One resource that a deploy creates, changes, deletes or adopts."""

    action: str
    resource: str
    type: str
    name: str = ""
    replaced: bool = False


@dataclass(frozen=True)
class Wanted:
    """The state that a change set leads to: a template and a value for each of its parameters."""

    template: str
    parameters: dict[str, str]


def create_change_set(names: Names, kind: str, wanted: Wanted) -> tuple[str | None, list[ResourceChange]]:
    """A change set ready to be executed and what it would do; None and nothing when there is nothing to do.

    Args:
        kind: CREATE, UPDATE, or IMPORT for a stack that takes the existing bucket in.
    """
    client = aws.client("cloudformation")
    request: dict[str, Any] = {
        "StackName": names.stack,
        "ChangeSetName": f"scones-{time.time_ns()}",
        "ChangeSetType": kind,
        **_upload_if_long(names, wanted.template),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.parameters.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    if kind == "IMPORT":
        request["ResourcesToImport"] = [_bucket_to_import(names)]
    else:
        request["Tags"] = [{"Key": "Project", "Value": names.settings.project}]
    with aws.explained(f"preparing a change of stack {names.stack}"):
        change_set = client.create_change_set(**request)["Id"]
        for _ in wait_until_done(f"preparing a change of stack {names.stack}"):
            described = client.describe_change_set(ChangeSetName=change_set)
            if described["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
        if described["Status"] == "CREATE_COMPLETE":
            pages = client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
            return change_set, [_change(one["ResourceChange"]) for page in pages for one in page["Changes"]]
    reason = events.explained(described.get("StatusReason", "no reason given"), ChangeSetName=change_set)
    discard(change_set)
    if any(text in reason for text in _NO_CHANGES):
        return None, []
    raise CloudError(f"Preparing a change of stack {names.stack}: {reason}", "See infra/template.yaml.")


def _upload_if_long(names: Names, template: str) -> dict[str, str]:
    """The template as the request takes it: in the request, or from the bucket when it is longer than that allows."""
    content = template.encode()
    if len(content) <= LONGEST_BODY:
        return {"TemplateBody": template}
    key = f"cloudformation/{hashlib.sha256(content).hexdigest()[:16]}/template.json"
    s3.upload(content, names.uri(key))
    return {"TemplateURL": f"https://s3.{names.settings.region}.amazonaws.com/{names.bucket}/{key}"}


def _bucket_to_import(names: Names) -> dict[str, Any]:
    return {
        "ResourceType": "AWS::S3::Bucket",
        "LogicalResourceId": "Bucket",
        "ResourceIdentifier": {"BucketName": names.bucket},
    }


def _change(found: dict[str, Any]) -> ResourceChange:
    return ResourceChange(
        _ACTIONS.get(found["Action"], found["Action"].lower()),
        found["LogicalResourceId"],
        found["ResourceType"],
        found.get("PhysicalResourceId", ""),
        found.get("Replacement") == "True",
    )


def execute(change_set: str, doing: str) -> None:
    """Execute a change set and wait until CloudFormation has; the stack's status says how it went.

    Looking at the stack alone would not do: for a moment it still has the status that it had before.
    """
    client = aws.client("cloudformation")
    with aws.explained(doing):
        client.execute_change_set(ChangeSetName=change_set)
        for _ in wait_until_done(doing):
            found = client.describe_change_set(ChangeSetName=change_set)["ExecutionStatus"]
            if found not in {"AVAILABLE", "EXECUTE_IN_PROGRESS"}:
                return


def discard(change_set: str) -> None:
    """Delete a change set that is not to be executed."""
    with aws.explained("discarding a change set"):
        aws.client("cloudformation").delete_change_set(ChangeSetName=change_set)


def wait_until_done(doing: str) -> Iterator[None]:
    """One turn per look, with growing pauses between them.

    Raises:
        CloudError: after `PATIENCE` seconds.
    """
    for _ in wait_between_looks(longest=5.0, share=0.5, patience=PATIENCE):
        yield
    raise CloudError(f"{doing}: not done after {PATIENCE:.0f} s.", "Look at the stack's events in CloudFormation.")
