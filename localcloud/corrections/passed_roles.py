"""Under enforced roles: who hands a role over to a service may pass it, and the role lets the service assume it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core.iam_actions import access_denied_response, extract_iam_action
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.core.router import extract_access_key_id

from localcloud.environment import UNTRUSTED_BY_STATES
from localcloud.roles import decisions
from localcloud.roles.trust import trusts

BEHAVIOUR = (
    "With enforced roles: a call that takes a role needs iam:PassRole for it, and the role's trust in the service."
)
EVIDENCE = (
    "IAM's user guide, 'Grant a user permissions to pass a role to an AWS service', iam:PassedToService. The refusals "
    "for want of trust are quoted in public issues: aws-lambda-r 20 (Lambda), aws-sdk-js-v3 6494 (Scheduler)."
)
MINISTACK = "1.5.33"

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, Any], Awaitable[Answer]]

PRINCIPALS = {
    "lambda": "lambda.amazonaws.com",
    "events": "events.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "states": "states.amazonaws.com",
    "pipes": "pipes.amazonaws.com",
}
"""By MiniStack's name of a service: who assumes the roles that it is handed."""
ACTIONS = {
    "lambda:CreateFunction",
    "lambda:UpdateFunctionConfiguration",
    "events:PutRule",
    "events:PutTargets",
    "scheduler:CreateSchedule",
    "scheduler:UpdateSchedule",
    "states:CreateStateMachine",
    "states:UpdateStateMachine",
    "pipes:CreatePipe",
    "pipes:UpdatePipe",
}
UNTRUSTED = {
    "lambda": ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
    "states": ("AccessDeniedException", UNTRUSTED_BY_STATES),
    "scheduler": (
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
}
"""Services that look at a role's trust when they are handed it. Rules do when they fire (target_roles.py)."""


def held_to_roles(service: str, handler: Handler) -> Handler:
    """`handler` of a service's requests, once the roles in them may be passed."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
        if ministack_app.AUTH:
            action = extract_iam_action(service, method, path, headers, body, query)
            if action in ACTIONS and (refused := _refusal(service, headers, body, query)):
                return refused
        return await handler(method, path, headers, body, query)

    return handle


def _refusal(service: str, headers: dict[str, str], body: bytes, query: Any) -> Answer | None:
    try:
        roles = passed(json.loads(body or b"{}"))
    except ValueError:
        return None  # the service says what is wrong with it
    key = extract_access_key_id(headers, query or {}) or ""
    for role in roles:
        principal = PRINCIPALS[service]
        context = {"iam:PassedToService": principal}
        who = decisions.owner(key, get_account_id())
        told = decisions.denial(who, "iam:PassRole", role, get_region(), context)
        if told:
            denied: Answer = access_denied_response(service, "iam:PassRole", who.arn, "", message=told, headers=headers)
            return denied
        if service in UNTRUSTED and not trusts(role, principal, get_region()):
            untrusted: Answer = error_response_json(*UNTRUSTED[service], 400)
            return untrusted
    return None


def passed(request: Any) -> list[str]:
    """The roles that a request hands over, wherever in it: Role, RoleArn or roleArn, a target's among them."""
    if isinstance(request, list):
        return [role for one in request for role in passed(one)]
    if not isinstance(request, dict):
        return []
    own = [value for name, value in request.items() if name in ("Role", "RoleArn", "roleArn")]
    found = [value for value in own if isinstance(value, str) and value]
    return found + [role for name in ("Target", "Targets") for role in passed(request.get(name))]


def apply() -> None:
    """The local Step Functions takes the place of MiniStack's later, and is wrapped there (bridge.py)."""
    for service in PRINCIPALS:
        ministack_app.SERVICE_HANDLERS[service] = held_to_roles(service, ministack_app.SERVICE_HANDLERS[service])
