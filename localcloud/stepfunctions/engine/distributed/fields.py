"""The fields of a distributed Map state that moto's grammar lacks, taken from the definition and evaluated by moto.

AWS: developer guide, "Map state processing modes", "ItemReader", "ItemBatcher", "ResultWriter".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from localcloud.stepfunctions.engine.program import read

EXCEEDED = StatesErrorNameType.StatesExceedToleratedFailureThreshold
READER_FAILED = StatesErrorNameType.StatesItemReaderFailed
WRITER_FAILED = StatesErrorNameType.StatesResultWriterFailed


def map_state(definition: str, name: str) -> tuple[dict[str, Any], bool]:
    """The Map state of that name, wherever it stands, and whether its language is JSONata: names are unique."""
    found = _states_named(json.loads(definition), name, "JSONPath")
    return next((state, language == "JSONata") for state, language in found if state.get("Type") == "Map")


def _states_named(value: Any, name: str, language: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        if isinstance(value.get("QueryLanguage"), str):
            language = value["QueryLanguage"]
        states = value.get("States")
        state = states.get(name) if isinstance(states, dict) else None
        if isinstance(state, dict):
            yield state, state.get("QueryLanguage", language)
        for inner in value.values():
            yield from _states_named(inner, name, language)
    elif isinstance(value, list):
        for inner in value:
            yield from _states_named(inner, name, language)


def evaluated(env: Any, template: Any, jsonata: bool) -> Any:
    """The value of a template: `"x.$": "$.path"` in JSONPath, `"{% … %}"` in JSONata.

    Raises:
        FailureEventException, NoSuchJsonPathError: an expression in it has no value.
    """
    _template(json.dumps(template), jsonata).eval(env)
    return env.stack.pop()


@lru_cache(maxsize=256)
def _template(text: str, jsonata: bool) -> Any:
    """moto's component for a template: the parameters of a Parallel state made for it, which both languages have."""
    state = {
        "Type": "Parallel",
        "Arguments" if jsonata else "Parameters": json.loads(text),
        "Branches": [{"StartAt": "None", "States": {"None": {"Type": "Pass", "End": True}}}],
        "End": True,
    }
    language = "JSONata" if jsonata else "JSONPath"
    machine = {"QueryLanguage": language, "StartAt": "Template", "States": {"Template": state}}
    return read(json.dumps(machine))[0].states.states["Template"].parargs


def number(env: Any, holder: dict[str, Any], field: str, jsonata: bool, error: StatesErrorNameType) -> int | None:
    """A whole number given as `field`, as an expression, or as `field` + "Path"; None when there is none.

    Raises:
        FailureEventException: the value is not a whole number or is negative.
    """
    if f"{field}Path" in holder:
        path = holder[f"{field}Path"]
        found = evaluated(env, {"value.$": path}, False)["value"]
        label = f"{field}Path"
    elif isinstance(holder.get(field), str) and jsonata:
        path = holder[field]
        found = evaluated(env, {"value": path}, True)["value"]
        label = field
    else:
        return holder.get(field)
    if isinstance(found, str) and found.lstrip("-").isdigit():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise failure(env, error, f"The {label} field refers to value '{found}' which is not a valid integer: {path}")
    if found < 0:
        raise failure(env, error, f"field {field} must be positive")
    return found


def failure(env: Any, error: StatesErrorNameType, cause: str) -> FailureEventException:
    """The exception that fails the map run and with it the state."""
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=error),
            event_type=HistoryEventType.MapRunFailed,
            event_details=EventDetails(
                mapRunFailedEventDetails=MapRunFailedEventDetails(error=error.to_name(), cause=cause)
            ),
        )
    )
