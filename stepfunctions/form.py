"""Whether anybody's file has the form of a state machine: objects, lists and text where the language has them."""

from __future__ import annotations

from typing import Any

from project.errors import UsageError
from stepfunctions.machines import StateMachine

LISTS = ("Choices", "Retry", "Catch", "Branches")
PROCESSORS = ("ItemProcessor", "Iterator")
"""The fields of a Map that hold what is done with each item."""


def checked_form(definition: Any, name: str) -> StateMachine:
    """A definition of anybody's, if its parts are objects, lists and text where the Amazon States Language has them.

    Args:
        name: what the message calls it.

    Raises:
        UsageError: one is something else; the checks cannot read it.
    """

    def need(right: bool, place: str, kind: str) -> None:
        if not right:
            raise UsageError(f"{name}: {place} is no {kind}.", "See the Amazon States Language: states-language.net.")

    def texts(value: dict[str, Any], place: str, *fields: str) -> None:
        for field in fields:
            need(isinstance(value.get(field, ""), str), f"{place}, {field}", "text")

    def objects(value: dict[str, Any], place: str, *fields: str) -> None:
        for field in fields:
            found = value.get(field, [])
            right = isinstance(found, list) and all(isinstance(item, dict) for item in found)
            need(right, f"{place}, {field}", "list of objects")

    def condition(rule: dict[str, Any], place: str) -> None:
        texts(rule, place, "Variable", "Next")
        objects(rule, place, "And", "Or")
        need(isinstance(rule.get("Not", {}), dict), f"{place}, Not", "object")
        for inner in [*rule.get("And", []), *rule.get("Or", []), *([rule["Not"]] if "Not" in rule else [])]:
            condition(inner, place)

    def scope(value: Any, place: str) -> None:
        need(isinstance(value, dict), place, "object")
        texts(value, place, "StartAt")
        here = value.get("States", {})
        need(isinstance(here, dict), f"{place}, States", "object")
        for label, state in here.items():
            at = f"{place}, state {label}"
            need(isinstance(state, dict), at, "object")
            texts(state, at, "Type", "Next", "Default")
            objects(state, at, *LISTS)
            need(isinstance(state.get("ItemReader", {}), dict), f"{at}, ItemReader", "object")
            for rule in state.get("Choices", []):
                condition(rule, f"{at}, Choices")
            for rule in [*state.get("Retry", []), *state.get("Catch", [])]:
                names = rule.get("ErrorEquals", [])
                need(isinstance(names, list) and all(isinstance(error, str) for error in names), at, "list of names")
                texts(rule, at, "Next")
            for inner in [*state.get("Branches", []), *(state[key] for key in PROCESSORS if key in state)]:
                scope(inner, at)

    scope(definition, "the machine")
    checked: StateMachine = definition
    return checked
