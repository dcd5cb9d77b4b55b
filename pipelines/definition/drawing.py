"""A pipeline definition for a person: its graph as text or as Mermaid, from the JSON alone."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.contract.definition import Json, Step, ancestors, dependencies, steps
from project.console import table

SIGNS = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
BRANCHES = {"IfSteps": "yes", "ElseSteps": "no"}


def as_text(name: str, definition: Json) -> str:
    """Steps in the order of the definition with what each waits for and does, then the parameters."""
    waits = dependencies(definition)
    all_steps = steps(definition)
    rows = [[_label(step), step.type, _after(step, waits), _about(step)] for step in all_steps]
    parameters = [
        [p["Name"], p["Type"], _default(p), ", ".join(p.get("EnumValues", []))]
        for p in definition.get("Parameters", [])
    ]
    return "\n".join(
        [
            f"Pipeline {name}: {len(all_steps)} steps",
            "",
            table(rows, ["STEP", "TYPE", "AFTER", "WHAT IT DOES"]),
            "",
            table(parameters, ["PARAMETER", "TYPE", "DEFAULT", "ALLOWED"]),
        ]
    )


def as_mermaid(definition: Json) -> str:
    """A Mermaid flowchart: boxes are steps, diamonds conditions; only direct dependencies are drawn."""
    lines = ["flowchart TD"]
    waits = dependencies(definition)
    for step in steps(definition):
        text = f"{step.name}<br/><small>{step.body.get('DisplayName', step.type)}</small>"
        opening, closing = {"Condition": ("{", "}"), "Fail": ("([", "])")}.get(step.type, ("[", "]"))
        if step.type == "Condition":
            text = f"{step.name}<br/><small>{_escaped(condition_text(step))}</small>"
        lines.append(f'    {step.name}{opening}"{text}"{closing}')
    for step in steps(definition):
        if step.within:
            lines.append(f"    {step.within} -->|{BRANCHES[step.branch or 'IfSteps']}| {step.name}")
        lines += [f"    {other} --> {step.name}" for other in _direct(step.name, waits) if other != step.within]
    return "\n".join(lines)


def as_json(name: str, definition: Json) -> Json:
    """The same facts for a program."""
    waits = dependencies(definition)
    return {
        "pipeline": name,
        "steps": [
            {
                "name": step.name,
                "type": step.type,
                "display_name": step.body.get("DisplayName"),
                "description": step.body.get("Description"),
                "after": waits[step.name],
                "within": step.within,
                "branch": BRANCHES.get(step.branch or ""),
                "cached": bool((step.body.get("CacheConfig") or {}).get("Enabled")),
            }
            for step in steps(definition)
        ],
        "parameters": definition.get("Parameters", []),
    }


def condition_text(step: Step) -> str:
    """A condition step's conditions in one line: `metrics.accuracy >= AccuracyThreshold`."""
    return " and ".join(_condition(condition) for condition in step.arguments["Conditions"])


def _condition(condition: Json) -> str:
    kind = condition["Type"]
    if kind in SIGNS:
        return f"{_operand(condition['LeftValue'])} {SIGNS[kind]} {_operand(condition['RightValue'])}"
    if kind == "In":
        return f"{_operand(condition['QueryValue'])} in {', '.join(_operand(v) for v in condition['Values'])}"
    if kind == "Not":
        return f"not ({_condition(condition['Condition'])})"
    return "(" + " or ".join(_condition(inner) for inner in condition["Conditions"]) + ")"


def _operand(value: Any) -> str:
    if isinstance(value, dict) and "Get" in value:
        return str(value["Get"]).removeprefix("Parameters.")
    if isinstance(value, dict) and "Std:JsonGet" in value:
        return str(value["Std:JsonGet"]["Path"])
    return json.dumps(value)


def _label(step: Step) -> str:
    return f"  {BRANCHES[step.branch]}: {step.name}" if step.branch else step.name


def _about(step: Step) -> str:
    description = step.body.get("Description", "")
    return f"{description} [{condition_text(step)}]" if step.type == "Condition" else description


def _after(step: Step, waits: dict[str, list[str]]) -> str:
    return ", ".join(_direct(step.name, waits)) or "-"


def _direct(name: str, waits: dict[str, list[str]]) -> list[str]:
    """The dependencies of `name` that are not already dependencies of another of its dependencies."""
    return [a for a in waits[name] if not any(a in ancestors(b, waits) for b in waits[name] if b != a)]


def _default(parameter: Json) -> str:
    return str(parameter.get("DefaultValue", "(none: must be given)"))


def _escaped(text: str) -> str:
    return re.sub(r"[<>\"&]", lambda match: f"#{ord(match.group())};", text)
