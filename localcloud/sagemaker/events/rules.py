"""The rules of the default event bus, as EventBridge has them and as EventBridge matches them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.events.shapes import Event


@dataclass(frozen=True)
class EventRule:
    """An enabled rule with an event pattern (its JSON text)."""

    name: str
    arn: str
    pattern: str


def rules(client: Any) -> list[EventRule]:
    """The enabled rules that have a pattern."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        answer = client.list_rules(**({"NextToken": token} if token else {}))
        found += answer["Rules"]
        token = answer.get("NextToken", "")
        if not token:
            break
    return [
        EventRule(rule["Name"], rule["Arn"], rule["EventPattern"])
        for rule in found
        if rule.get("State") != "DISABLED" and rule.get("EventPattern")
    ]


def matching(client: Any, known: list[EventRule], event: Event) -> list[EventRule]:
    """Those of the rules whose pattern EventBridge says matches."""
    text = json.dumps(event)
    return [
        rule
        for rule in known
        if _may_match(rule, event) and client.test_event_pattern(EventPattern=rule.pattern, Event=text)["Result"]
    ]


def targets(client: Any, rule: EventRule) -> list[dict[str, Any]]:
    """The targets of a rule."""
    found: list[dict[str, Any]] = client.list_targets_by_rule(Rule=rule.name).get("Targets", [])
    return found


def _may_match(rule: EventRule, event: Event) -> bool:
    """False only for a rule that is surely about something else, so that EventBridge need not be asked.

    A list of strings and nothing else matches one of exactly these strings.
    """
    pattern = json.loads(rule.pattern)
    for name in ("source", "detail-type"):
        wanted = pattern.get(name)
        if isinstance(wanted, list) and all(isinstance(one, str) for one in wanted) and event[name] not in wanted:
            return False
    return True
