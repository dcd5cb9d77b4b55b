"""Deploy, compare and delete the stack: one change set at a time, in an account or on the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from infra import events, job_logs, package, template
from infra.changesets import ResourceChange, Wanted, create_change_set, discard, execute, wait_until_done
from project import aws
from project.errors import CloudError, SconesError
from project.names import Names
from project.waiting import going_on

EMPTY = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}
"""States of a stack whose first creation came to nothing: it cannot be updated, only deleted."""
UPDATABLE = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}

_AGAIN = "CloudFormation goes on with stack {stack}; give the same command again when it is done."


@dataclass(frozen=True)
class StackDeployment:
    """What a deploy did, and the stack's outputs by name."""

    stack: str
    changes: tuple[ResourceChange, ...]
    outputs: dict[str, str] = field(default_factory=dict)


def deploy(
    names: Names, say: Callable[[str], None], layer: package.Layer = "lambda", bounded: bool = True
) -> StackDeployment:
    """Create the stack or bring it up to date; nothing happens when it is.

    A new stack begins with the bucket alone, because the rest refers to code in it. A bucket of the right name that
    this account has already (kept from a deleted stack) is adopted with its objects.

    Args:
        layer: where the functions' layer of libraries comes from.
        bounded: limit the roles by the account's boundary, if it has one, see `boundary`.

    Raises:
        CloudError: the bucket is another account's, another deploy is running, or CloudFormation refuses or rolls back.
        SconesError: the layer cannot be built.
    """
    adopts = _bucket_is_there(names)
    status = status_of(names.stack)
    if status in EMPTY:
        say(f"Stack {names.stack} is {status}: its creation came to nothing. Deleting the remains first.")
        _delete(names.stack)
        status = None
    changes: list[ResourceChange] = []
    if status is None:
        _require_no_role(names)
        begun = Wanted(template.bucket_alone(adopts), {"ProjectName": names.settings.project})
        changes += _apply(names, "IMPORT" if adopts else "CREATE", begun)
    else:
        _require_updatable(names.stack, status)
    artifacts = package.artifacts(layer)
    limit = boundary(names) if bounded else ""
    if limit:
        say(f"No role may do more than {limit} allows.")
    package.upload(names, artifacts)
    began = {change.resource for change in changes}
    changes += [one for one in _apply(names, "UPDATE", _wanted(names, artifacts, limit)) if one.resource not in began]
    job_logs.limit(names, say)
    return StackDeployment(names.stack, tuple(changes), outputs(names.stack))


def diff(names: Names, layer: package.Layer = "lambda", bounded: bool = True) -> list[ResourceChange]:
    """The changes that a deploy would make now; leaves nothing behind.

    Raises:
        CloudError: as for `deploy`.
    """
    adopts = _bucket_is_there(names)
    status = status_of(names.stack)
    wanted = _wanted(names, package.artifacts(layer), boundary(names) if bounded else "")
    if status is None or status in EMPTY:
        return [
            ResourceChange("adopt" if adopts and logical == "Bucket" else "create", logical, kind)
            for logical, kind in template.resources(wanted.parameters).items()
        ]
    _require_updatable(names.stack, status)
    change_set, changes = create_change_set(names, "UPDATE", wanted)
    if change_set:
        discard(change_set)
    return changes


def delete(stack: str) -> bool:
    """Delete a stack by its name; the bucket and every object in it stay. False when there is no such stack.

    Raises:
        CloudError: CloudFormation refuses, or a resource cannot be deleted.
    """
    if status_of(stack) is None:
        return False
    _delete(stack)
    return True


def outputs(stack: str) -> dict[str, str]:
    """The stack's outputs by name.

    Raises:
        CloudError: there is no such stack.
    """
    with aws.explained(f"reading the outputs of stack {stack}"):
        described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def boundary(names: Names) -> str:
    """ARN of the permissions boundary in this account: the most that any role of the stack may do; "" without one.

    infra/ci.yaml makes it, because builds change the stack's roles: a commit must not be able to give them more.
    Every deploy looks for it, whoever runs it. Without infra/ci.yaml there is none: then only people change roles.

    Raises:
        CloudError: IAM does not say, for instance because the caller may not ask (`iam:GetPolicy`).
    """
    client = aws.client("iam")
    arn = f"arn:{client.meta.partition}:iam::{names.account}:policy/{names.settings.project}-boundary"
    with aws.explained(f"looking for policy {arn}"):
        try:
            client.get_policy(PolicyArn=arn)
        except client.exceptions.NoSuchEntityException:
            return ""
    return arn


def _wanted(names: Names, artifacts: list[package.Artifact], limit: str) -> Wanted:
    keys = {artifact.parameter: artifact.key for artifact in artifacts}
    return Wanted(template.text(), template.parameters(names, keys) | {"PermissionsBoundary": limit})


def _apply(names: Names, kind: str, wanted: Wanted) -> list[ResourceChange]:
    change_set, changes = create_change_set(names, kind, wanted)
    if change_set is None:
        return []
    with going_on(_AGAIN.format(stack=names.stack)):
        execute(change_set, f"deploying stack {names.stack}")
    reached = _wait_until_settled(names.stack)
    if reached not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        raise CloudError(
            f"Deploying stack {names.stack}: {events.reason(names.stack)} The stack is {reached}.",
            "Correct that and run again: scones infra deploy.",
        )
    return changes


def _delete(stack: str) -> None:
    with aws.explained(f"deleting stack {stack}"):
        aws.client("cloudformation").delete_stack(StackName=stack)
    reached = _wait_until_settled(stack)
    if reached is not None:
        raise CloudError(f"Deleting stack {stack}: {events.reason(stack)} The stack is {reached}.")


def status_of(stack: str) -> str | None:
    """The stack's status, or None when there is no such stack."""
    with aws.explained(f"looking for stack {stack}"):
        try:
            found: str = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
    return None if found == "DELETE_COMPLETE" else found


def _wait_until_settled(stack: str) -> str | None:
    """Wait until CloudFormation is done with the stack, and return its status, None when it is gone."""
    with going_on(_AGAIN.format(stack=stack)):
        for _ in wait_until_done(f"waiting for stack {stack}"):
            status = status_of(stack)
            if status is None or not status.endswith("_IN_PROGRESS"):
                break
    return status


def _require_updatable(stack: str, status: str | None) -> None:
    if status is None or status in UPDATABLE:
        return
    if status.endswith("_IN_PROGRESS"):
        raise CloudError(f"Stack {stack} is {status}: another change is running.", "Wait for it, then run this again.")
    raise CloudError(
        f"Stack {stack} is {status}: it cannot be updated.",
        f"Repair it: CloudFormation, stack {stack}, Stack actions, Continue update rollback.",
    )


def _bucket_is_there(names: Names) -> bool:
    """Whether this account has the project's bucket.

    Raises:
        CloudError: bucket names are shared by all of AWS, and this one belongs to another account.
    """
    with aws.explained(f"looking for bucket {names.bucket}"):
        try:
            aws.client("s3").head_bucket(Bucket=names.bucket, ExpectedBucketOwner=names.account)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
                raise _not_ours(names) from None
            raise
    return True


def _require_no_role(names: Names) -> None:
    """A new stack makes its role, so there must be none yet: MiniStack's CloudFormation takes it over silently."""
    with aws.explained(f"looking for role {names.pipeline_role}"):
        client = aws.client("iam")
        try:
            client.get_role(RoleName=names.pipeline_role.rpartition("/")[2])
        except client.exceptions.NoSuchEntityException:
            return
    raise CloudError(
        f"Deploying stack {names.stack}: role {names.pipeline_role} exists, and no stack {names.stack} to own it.",
        "Delete that role, or choose another `project` in scones.toml.",
    )


def _not_ours(names: Names) -> SconesError:
    return CloudError(
        f"Bucket {names.bucket} exists, and account {names.account} may not use it: it belongs to somebody else, or "
        "the caller's policy lacks s3:ListBucket.",
        "Choose another `project` in scones.toml, or have the policy extended.",
    )
