"""The state machines of the project: `<name>.asl.json` beside this file, with `${Placeholder}` where an ARN belongs.

CloudFormation's DefinitionSubstitutions fill them on deployment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from project.errors import UsageError

FOLDER = Path(__file__).parent
SUFFIX = ".asl.json"
PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")
StateMachine = dict[str, Any]


def names() -> list[str]:
    """The machines' names, sorted: batch, deploy, inference."""
    return sorted(file.name.removesuffix(SUFFIX) for file in FOLDER.glob(f"*{SUFFIX}"))


def text(name: str) -> str:
    """The definition as it is written, placeholders and all.

    Raises:
        UsageError: there is no such machine.
    """
    file = FOLDER / f"{name}{SUFFIX}"
    if not file.is_file():
        raise UsageError(f"There is no state machine {name!r}.", f"There are {', '.join(names())}.")
    return file.read_text(encoding="utf-8")


def load(name: str) -> StateMachine:
    """The definition as JSON, placeholders and all.

    Raises:
        UsageError: there is no such machine, or its file is not JSON.
    """
    try:
        definition: StateMachine = json.loads(text(name))
    except ValueError as error:
        raise UsageError(f"stepfunctions/{name}{SUFFIX} is not JSON: {error}.") from None
    return definition


def scopes(definition: StateMachine, where: str = "") -> Iterator[tuple[str, StateMachine]]:
    """The machine itself and every branch and item processor inside it, each with the name of the state it is in.

    A scope is an object with StartAt and States: a transition never leaves it.
    """
    yield where, definition
    for name, state in definition.get("States", {}).items():
        path = f"{where}{name}/"
        for branch in state.get("Branches", []):
            yield from scopes(branch, path)
        processor = state.get("ItemProcessor") or state.get("Iterator")
        if processor:
            yield from scopes(processor, path)


def states(definition: StateMachine) -> Iterator[tuple[str, dict[str, Any], StateMachine]]:
    """(path, state, scope) of every state at any depth."""
    for where, scope in scopes(definition):
        for name, state in scope.get("States", {}).items():
            yield where + name, state, scope


def transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (target state, reason) that a state may go on to; the reason is empty for a plain Next."""
    if "Next" in state:
        yield state["Next"], ""
    for choice in state.get("Choices", []):
        if "Next" in choice:
            yield choice["Next"], condition(choice)
    if "Default" in state:
        yield state["Default"], "otherwise"
    for catcher in state.get("Catch", []):
        if "Next" in catcher:
            yield catcher["Next"], ", ".join(catcher.get("ErrorEquals", []))


def condition(rule: Mapping[str, Any]) -> str:
    """A choice rule in a few words: what it compares with, or what it asks about several variables."""
    for operator in ("And", "Or"):
        if operator in rule:
            parts = dict.fromkeys(condition(part) for part in rule[operator])
            return f" {operator.lower()} ".join(parts)
    if "Not" in rule:
        return f"not {condition(rule['Not'])}"
    variable = str(rule.get("Variable", "")).removeprefix("$.")
    if variable == "outcome" and "StringEquals" in rule:
        return str(rule["StringEquals"])
    operator, value = next((item for item in rule.items() if item[0] not in {"Variable", "Next", "Comment"}), ("", ""))
    return f"{variable} {operator} {json.dumps(value)}"
