"""Where roles are enforced, Step Functions must be able to assume the role of a state machine."""

from __future__ import annotations

from typing import Any

from localcloud.environment import UNTRUSTED_BY_STATES
from localcloud.roles.client import RoleDeniedError
from localcloud.stepfunctions.cloud import StatesCloud
from localcloud.stepfunctions.protocol import ServiceError

TAKE_ROLES = ("CreateStateMachine", "UpdateStateMachine")


def check_trust(cloud: StatesCloud, operation: str, request: Any) -> None:
    """Check the role in a request that came straight here.

    MiniStack has checked what comes by its port or a template, and could not answer: it waits for this server then.

    Raises:
        ServiceError: AccessDeniedException.
    """
    role = request.get("roleArn") if isinstance(request, dict) else None
    if operation not in TAKE_ROLES or not isinstance(role, str) or ":iam:" not in role:
        return
    try:
        cloud.clients.check_trust(role, cloud.region)
    except RoleDeniedError:
        raise ServiceError("AccessDeniedException", UNTRUSTED_BY_STATES) from None
