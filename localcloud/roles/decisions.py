"""Whether somebody may do something: identity-based policies, permissions boundary, and the resource's own policy.

The rules are MiniStack's evaluator's, which answers every other request too.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_actions import identity_denial_message
from ministack.core.iam_evaluator import EvalContext, EvalResult, PrincipalInfo
from ministack.services import iam

from localcloud.roles.sessions import session_arn


class UnknownKeyError(Exception):
    """Nobody has that access key."""


def owner(key: str, account: str) -> PrincipalInfo:
    """Who has an access key.

    Raises:
        UnknownKeyError: nobody.
    """
    found = iam_evaluator.resolve_principal(key, account)
    if isinstance(found, iam_evaluator.AuthError):
        raise UnknownKeyError(found.message)
    return found


def assumed(role: str, name: str) -> PrincipalInfo:
    """A role that a service has assumed, in a session of that name."""
    account, short = role.split(":")[4], role.rpartition("/")[2]
    return PrincipalInfo(
        arn=session_arn(role, name),
        type="AssumedRole",
        account=account,
        policies=iam_evaluator._gather_role_policies(short, account),
        limits=iam_evaluator._permissions_boundary(iam._roles, short, account),
    )


def denial(who: PrincipalInfo, action: str, resource: str, region: str, context: dict[str, Any]) -> str | None:
    """AWS's words when `who` may not do that, or None; the account's root user may do everything.

    Args:
        context: condition keys of the request, such as iam:PassedToService.
    """
    if who.policies is None:
        return None
    asked = EvalContext(
        principal_arn=who.arn,
        principal_type=who.type,
        principal_account=who.account,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={"aws:tagkeys": None, **{name.lower(): value for name, value in context.items()}},
        principal_keys=who.keys,
    )
    found: EvalResult = iam_evaluator.evaluate(asked, who.policies, *who.limits)
    service = action.partition(":")[0]
    if policy := iam_evaluator._resource_policy(service, resource):
        found = iam_evaluator.combine_resource_policy(found, asked, *policy, limits=tuple(who.limits))
    if found.decision == "Allow":
        return None
    if found.decision != "Deny" and iam_evaluator.evaluate(asked, who.policies).decision == "Allow":
        told = f"User: {who.arn} is not authorized to perform: {action} on resource: {resource} "
        return f"{told}because no permissions boundary allows the {action} action"
    return str(identity_denial_message(action, who.arn, resource, found.decision == "Deny"))
