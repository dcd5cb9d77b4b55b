"""The message of a denial names the resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions

from localcloud.corrections import seam

BEHAVIOUR = (
    "'User: … is not authorized to perform: … on resource: … because no identity-based policy allows the … action'."
)
EVIDENCE = (
    "IAM's user guide, 'Troubleshoot access denied error messages'; messages in public issues, such as "
    "aws-deployment-framework 460 (Lambda) and amazon-sagemaker-feedback 61 (iam:PassRole). S3's has the ARN in quotes."
)
MINISTACK = "1.5.33"


def _with_resource(original: Callable[..., Any]) -> Callable[..., Any]:
    def answer(service: str, action: str, principal_arn: str, request_id: str, **more: Any) -> Any:
        resource = more.get("resource_arn", "*")
        told = any(more.get(name) for name in ("message", "error_code", "resource_policy_arn"))
        if not told and (service, resource) != ("s3", "*"):  # of S3's own hosts MiniStack does not say which it was
            named = f'"{resource}"' if service == "s3" else resource
            explicit = bool(more.get("explicit_deny"))
            more["message"] = iam_actions.identity_denial_message(action, principal_arn, named, explicit)
        return original(service, action, principal_arn, request_id, **more)

    return answer


def apply() -> None:
    """Raises SeamError when MiniStack refuses requests in another way."""
    required = ("service", "action", "principal_arn", "request_id")
    optional = ("error_code", "message", "headers", "resource_arn", "explicit_deny", "resource_policy_arn")
    seam.replace(__name__, iam_actions, "access_denied_response", *required, *optional, by=_with_resource)
