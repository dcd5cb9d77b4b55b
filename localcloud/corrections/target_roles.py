"""Under enforced roles: rules and schedules call their targets in the name of the role that was given for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_region
from ministack.services import eventbridge

from localcloud.corrections import seam
from localcloud.roles import decisions
from localcloud.roles.targets import ACTIONS, NEED_ROLE
from localcloud.roles.trust import trusts

BEHAVIOUR = (
    "With enforced roles: a target is called only if the role of the rule's target, or the schedule's, allows it."
)
EVIDENCE = (
    "EventBridge's user guide, 'Accessing Amazon EventBridge resources' (a target's RoleArn; Step Functions and event "
    "buses need one), and the Scheduler's, 'Setting up the execution role'."
)
MINISTACK = "1.5.33"

log = logging.getLogger(__name__)


def objection(target: dict[str, Any], service: str, source: str, region: str) -> str | None:
    """Why the target may not be called, or None.

    Args:
        service: the principal that calls: events.amazonaws.com or scheduler.amazonaws.com.
        source: ARN of the rule or schedule.
    """
    arn, role = target.get("Arn", ""), target.get("RoleArn")
    called = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if called not in ACTIONS or (called == "events" and ":api-destination/" in arn):
        return None
    if not role:
        wants = called in NEED_ROLE or service.startswith("scheduler")
        return f"the target {arn} has no RoleArn" if wants else None
    if not trusts(role, service, region, source):
        return f"{service} may not assume {role}"
    name = source.rpartition("/")[2][:64] or "events"
    return decisions.denial(decisions.assumed(role, name), ACTIONS[called], arn, region, {})


def _held_to_role(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        if ministack_app.AUTH:
            scheduled = event.get("Source") == "aws.scheduler"
            service = "scheduler.amazonaws.com" if scheduled else "events.amazonaws.com"
            if told := objection(target, service, rule.get("Arn", ""), get_region()):
                log.warning("%s was not delivered: %s", rule.get("Arn", "an event"), told)
                return None
        return original(target, event, rule, view)

    return invoke


def apply() -> None:
    """Raises SeamError when MiniStack calls targets in another way."""
    seam.replace(__name__, eventbridge, "_invoke_target", "target", "event", "rule", "view", by=_held_to_role)
