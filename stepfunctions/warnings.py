"""What AWS accepts in a state machine, and what fails there when it runs: seen before, as far as the definition tells.

A warning is no problem: it may be meant. Nothing is said about what only a function knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from project import json_text
from project.problem import Problem
from stepfunctions.data_flow import Use, uses
from stepfunctions.machines import StateMachine, states
from stepfunctions.values import Found, Scalar

Warner = Callable[[StateMachine, list[Use]], Iterator[Problem]]
"""From a machine, and the paths that its states read."""

RESERVED = {
    *("States.ALL", "States.BranchFailed", "States.DataLimitExceeded", "States.ExceedToleratedFailureThreshold"),
    *("States.HeartbeatTimeout", "States.Http.Socket", "States.IntrinsicFailure", "States.ItemReaderFailed"),
    *("States.NoChoiceMatched", "States.ParameterPathFailure", "States.Permissions", "States.QueryEvaluationError"),
    *("States.ResultPathMatchFailure", "States.ResultWriterFailed", "States.Runtime", "States.TaskFailed"),
    "States.Timeout",
}
"""Error names that begin with States.; developer guide, 'Handling errors in Step Functions workflows'."""
PYTHON_MODULES = ("builtins.", "exceptions.", "botocore.exceptions.", "__main__.", "lambda_function.")
"""Python's runtime client names an exception by its class alone (`etype.__name__` in awslambdaric's bootstrap.py)."""
CATCHES_EXCEPTIONS = {"States.ALL", "States.TaskFailed", "Exception"}
TIME_LIMITS = ("TimeoutSecondsPath", "HeartbeatSecondsPath")


def warnings(definition: StateMachine) -> list[Problem]:
    """Everything that WARNINGS find, each once."""
    read = uses(definition)
    return list(dict.fromkeys(found for warner in WARNINGS for found in warner(definition, read)))


def paths_lead_somewhere(_: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """No state reads what no state before it can have made: the execution fails with States.Runtime."""
    for use in read:
        if use.found is Found.MISSING:
            yield Problem(
                f"state {use.state}",
                f"reads {use.path} in {use.field}, which no state before it makes.",
                "Correct the path, or keep the member with ResultPath or in Parameters; AWS fails the execution.",
            )


def choices_ask_first(_: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """A rule compares what may be missing only after IsPresent: the execution fails with States.Runtime."""
    for use in read:
        if use.found is Found.MAYBE and (use.field == "Variable" or _is_comparison(use)):
            yield Problem(
                f"state {use.state}",
                f"compares {use.path}, which may be missing.",
                f'Ask {{"Variable": "{use.path}", "IsPresent": true}} before it, in the same And.',
            )


def choices_have_a_way_out(definition: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """Without Default, an outcome that no rule names fails the execution with States.NoChoiceMatched."""
    for path, state, _ in states(definition):
        if state.get("Type") == "Choice" and "Default" not in state:
            fix = "Add Default; without it AWS fails the execution with States.NoChoiceMatched."
            yield Problem(f"state {path}", "has no Default.", fix)


def time_limits_are_there(_: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """A time limit that is read by path is a number that is there."""
    for use in read:
        if use.field not in TIME_LIMITS:
            continue
        value = use.value.value if isinstance(use.value, Scalar) else None
        is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if use.found is Found.MAYBE:
            found = "which may be missing"
        elif use.found is Found.THERE and value is not None and not is_number:
            found = f"which is {json.dumps(value)}"
        else:
            continue
        fix = "Give it a value in a Pass state before, or use a fixed limit; AWS fails the execution."
        yield Problem(f"state {use.state}", f"takes {use.field} from {use.path}, {found}.", fix)


def error_names_exist(definition: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """Retry and Catch name errors that something gives: any other rule never acts."""
    for path, state, _ in states(definition):
        for field in ("Retry", "Catch"):
            rules = state.get(field, [])
            everything = {name for rule in rules for name in rule.get("ErrorEquals", [])}
            for name in sorted(everything):
                if wrong := _never_given(name):
                    yield Problem(f"state {path}", f"has {name!r} in {field}, which {wrong[0]}.", wrong[1])
            if field == "Catch" and "Lambda.Unknown" in everything and not _catches_exceptions(everything):
                found = "catches Lambda.Unknown, which is the name of no exception of a function."
                yield Problem(f"state {path}", found, "Name the exception's class, or States.TaskFailed.")


def payloads_are_json(definition: StateMachine, read: list[Use]) -> Iterator[Problem]:
    """A function's payload is an object, or text that is JSON: text is sent as it is."""
    fix = "Give an object; Lambda parses text as JSON and refuses anything else."
    for path, state, _ in states(definition):
        sent = state.get("Parameters")
        payload = sent.get("Payload") if _invokes(state) and isinstance(sent, dict) else None
        if isinstance(payload, str) and not _is_json(payload):
            yield Problem(f"state {path}", "sends a Payload that is text and no JSON.", fix)
    for use in read:
        text = use.value.value if isinstance(use.value, Scalar) else None
        if use.field == "Parameters.Payload.$" and isinstance(text, str) and not _is_json(text):
            yield Problem(f"state {use.state}", f"sends {use.path} as Payload, which is text and no JSON.", fix)


def _never_given(name: str) -> tuple[str, str] | None:
    """Why nothing gives an error of that name, and what to write instead."""
    if name.startswith("States.") and name not in RESERVED and not re.fullmatch(r"States\.Http\.StatusCode\.\d+", name):
        return "is no error of Step Functions", "Use a name of the developer guide's list."
    if name == "Runtime.HandlerError":
        return "no runtime of Lambda gives", "Name the exception's class, such as ValueError."
    if name.startswith(PYTHON_MODULES):
        return "no runtime of Lambda gives", f"Name the class alone: {name.rpartition('.')[2]}."
    if name.startswith("Lambda.") and name != "Lambda.Unknown" and not name.endswith("Exception"):
        return "is no error of Lambda", "An exception has its class's name; a time-out is Sandbox.Timedout."
    return None


def _catches_exceptions(names: set[str]) -> bool:
    return bool(names & CATCHES_EXCEPTIONS) or any(not name.startswith(("Lambda.", "States.")) for name in names)


def _is_comparison(use: Use) -> bool:
    return use.field.endswith(("EqualsPath", "ThanPath"))


def _invokes(state: dict[str, Any]) -> bool:
    return str(state.get("Resource", "")).startswith("arn:aws:states:::lambda:invoke")


def _is_json(text: str) -> bool:
    try:
        json_text.parsed(text)
    except ValueError:
        return False
    return True


WARNINGS: tuple[Warner, ...] = (
    paths_lead_somewhere,
    choices_ask_first,
    choices_have_a_way_out,
    time_limits_are_there,
    error_names_exist,
    payloads_are_json,
)
