"""Roles where they are enforced: SageMaker assumes those of jobs and models, and checks what callers may do.

Which resources an operation is checked on is in the service authorization reference ("Actions, resources, and
condition keys for Amazon SageMaker AI"): those that its request names, by the service's own ARNs; `*` for lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localcloud.roles.client import Check, RoleDeniedError, Roles, passing
from localcloud.sagemaker.errors import ServiceError, validation

PRINCIPAL = "sagemaker.amazonaws.com"
SESSION = "SageMaker"
"""The name of the session in which SageMaker acts for a role, as in the ARNs of AWS's messages."""
KEY = re.compile(r"Credential=([^/,\s]+)/")
ROOT = "test"
"""The access key of the account's root user, who may do everything."""
KINDS = {
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "JobDefinitionName": "",
    "ModelName": "model",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "MonitoringScheduleName": "monitoring-schedule",
    "PipelineName": "pipeline",
    "ProcessingJobName": "processing-job",
    "TrainingJobName": "training-job",
    "TransformJobName": "transform-job",
}
"""By the member that names it: what a resource's ARN has before its name."""
LISTED_OF = ("PipelineName", "PipelineExecutionArn", "ModelPackageGroupName", "ResourceArn")
"""Members of lists that name whose the list is; others only choose from it."""
DEFINITIONS = {
    "DataQuality": "data-quality-job-definition",
    "ModelBias": "model-bias-job-definition",
    "ModelExplainability": "model-explainability-job-definition",
    "ModelQuality": "model-quality-job-definition",
}


def assumed(roles: Roles | None, role: str) -> dict[str, str] | None:
    """Credentials with which SageMaker acts for a role; None where roles are not enforced, or it has none.

    Raises:
        ServiceError: ValidationException, in the service's words.
    """
    if roles is None or not role:
        return None
    try:
        return roles.credentials(role, PRINCIPAL, SESSION)
    except RoleDeniedError:
        raise validation(
            f"Could not assume role {role}. Please ensure that the role exists and allows principal '{PRINCIPAL}' to "
            "assume the role."
        ) from None


def check_call(roles: Roles | None, prefix: str, authorization: str, operation: str, request: Any) -> None:
    """Check that the caller may do what a request asks, and that the roles in it may be passed and assumed.

    Args:
        prefix: `arn:aws:sagemaker:<region>:<account>:`.
        authorization: the request's Authorization header.

    Raises:
        ServiceError: AccessDeniedException, UnrecognizedClientException or, of a role that cannot be assumed,
            ValidationException.
    """
    if roles is None or not isinstance(request, dict):
        return
    given = sorted(set(passed(request)))
    key = KEY.search(authorization)
    if key is None or key[1] != ROOT:
        try:
            roles.check_key(key[1] if key else "-", *_checks(prefix, operation, request))
        except RoleDeniedError as denied:
            raise ServiceError(denied.code, denied.message, 400) from None
    for role in given:
        assumed(roles, role)


def check_step(roles: Roles | None, prefix: str, role: str, operation: str, request: dict[str, Any]) -> None:
    """Check that a pipeline's role may make what a step is about to make.

    Raises:
        ServiceError: AccessDeniedException, or ValidationException of a role that cannot be assumed.
    """
    if roles is None:
        return
    assumed(roles, role)
    try:
        roles.check_role(role, PRINCIPAL, SESSION, *_checks(prefix, operation, request))
    except RoleDeniedError as denied:
        raise ServiceError(denied.code, denied.message, 400) from None


def _checks(prefix: str, operation: str, request: dict[str, Any]) -> list[Check]:
    actions = [operation, "AddTags"] if request.get("Tags") and operation.startswith("Create") else [operation]
    about = resources(prefix, operation, request)
    own = [Check(f"sagemaker:{action}", arn) for action in actions for arn in about]
    return own + [passing(role, PRINCIPAL) for role in sorted(set(passed(request)))]


def resources(prefix: str, operation: str, request: dict[str, Any]) -> list[str]:
    """ARNs of what a request is about; `*` when it is about no resource in particular."""
    found = []
    for name, value in request.items():
        if not isinstance(value, str) or (operation.startswith("List") and name not in LISTED_OF):
            continue
        if value.startswith("arn:") and (name in KINDS or name.endswith("Arn")) and ":iam:" not in value:
            found.append(value)
        elif name in KINDS:
            found.append(f"{prefix}{_kind(name, operation)}/{value}")
    own = [arn for arn in found if _kind_of(operation) in arn.split(":")[-1].partition("/")[0].replace("-", "")]
    return own or found[:1] or ["*"]


def _kind(member: str, operation: str) -> str:
    return KINDS[member] or next((kind for name, kind in DEFINITIONS.items() if name in operation), "job-definition")


def _kind_of(operation: str) -> str:
    """What an operation's own resource is called, as in an ARN without its hyphens: CreateModel has `model`."""
    return re.sub(r"^(Create|Describe|Delete|Update|Start|Stop|Retry|Invoke)", "", operation).lower()


def passed(request: Any) -> Iterator[str]:
    """The roles that a request hands over, wherever they are in it."""
    if isinstance(request, list):
        for one in request:
            yield from passed(one)
    elif isinstance(request, dict):
        for name, value in request.items():
            if name in ("RoleArn", "ExecutionRoleArn") and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from passed(value)
