"""Rules of the default bus and the alarms that are asked for are checked under AWS's names for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions

from localcloud.corrections import seam

BEHAVIOUR = (
    "A rule of the default bus is rule/<name> in policies; DescribeAlarms and DeleteAlarms are checked on the first "
    "alarm that they name."
)
EVIDENCE = (
    "Service authorization reference, EventBridge (rule-on-default-event-bus: rule/${RuleName}) and CloudWatch "
    "(DescribeAlarms and DeleteAlarms: alarm*)."
)
MINISTACK = "1.5.33"

DEFAULT_BUS = ":rule/default/"
NAMING_ALARMS = {"DeleteAlarms", "DescribeAlarms"}


def _named(original: Callable[..., Any]) -> Callable[..., Any]:
    def resource(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> Any:
        found = original(service, method, path, headers, body, query_params, region, account_id)
        if service == "events":
            return found.replace(DEFAULT_BUS, ":rule/")
        if found == "*" and (alarm := _alarm(path, headers, body, query_params)):
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{alarm}"
        return found

    return resource


def _alarm(path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> str | None:
    """The first alarm that one of NAMING_ALARMS names, in the query or JSON protocol."""
    action: Any = query.get("Action")
    if (action[0] if isinstance(action, list) else action) in NAMING_ALARMS:
        given: Any = query.get("AlarmNames.member.1")
        return str(given[0] if isinstance(given, list) else given) if given else None
    if not NAMING_ALARMS & {path.rpartition("/")[2], headers.get("x-amz-target", "").rpartition(".")[2]}:
        return None
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    names = asked.get("AlarmNames") if isinstance(asked, dict) else None
    return str(names[0]) if isinstance(names, list) and names else None


def apply() -> None:
    """Raises SeamError when MiniStack names resources in another way."""
    parameters = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
    seam.replace(__name__, iam_actions, "extract_resource_arn", *parameters, by=_named)
