"""What a target gets of an event: all of it, a part, a constant, or a filled-in template.

Source: "Amazon EventBridge input transformation" in the user guide. Of JSON path, names and list indices are done.
"""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.sagemaker.events.rules import EventRule
from localcloud.sagemaker.events.shapes import Event

PATH_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
STRING_OR_VARIABLE = re.compile(r'"(?:\\.|[^"\\])*"|<[^<>"]+>')
VARIABLE = re.compile(r"<([^<>\"]+)>")


def target_input(target: dict[str, Any], rule: EventRule, event: Event) -> str:
    """The text that a target gets."""
    if transformer := target.get("InputTransformer"):
        return _transformed(transformer, rule, event)
    if "Input" in target:
        return str(target["Input"])
    if path := target.get("InputPath"):
        return json.dumps(_at(path, event, missing=event))
    return json.dumps(event)


def _at(path: str, event: Event, missing: Any) -> Any:
    """The value at a path such as `$.detail.resources[0]`."""
    value: Any = event
    for name, index in PATH_PART.findall(path.removeprefix("$")):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return missing
    return value


def _transformed(transformer: dict[str, Any], rule: EventRule, event: Event) -> str:
    values: dict[str, Any] = {
        name: _at(path, event, missing="") for name, path in transformer.get("InputPathsMap", {}).items()
    }
    values |= {
        "aws.events.rule-name": rule.name,
        "aws.events.rule-arn": rule.arn,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event.json": event,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
    }

    def in_text(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else json.dumps(value).replace('"', "")

    def in_json(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return VARIABLE.sub(in_text, match[0])
        name = match[0][1:-1]
        return json.dumps(values[name]) if name in values else match[0]

    template = str(transformer["InputTemplate"])
    if '"' not in template:  # plain text
        return VARIABLE.sub(in_text, template)
    return STRING_OR_VARIABLE.sub(in_json, template)
