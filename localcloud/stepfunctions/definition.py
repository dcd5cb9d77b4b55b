"""Is a definition one that AWS takes? Its diagnostics, in AWS's words where recorded answers have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from antlr4.error.Errors import RecognitionException
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException
from moto.stepfunctions.parser.asl.static_analyser.variable_references_static_analyser import (
    VariableReferencesStaticAnalyser,
)

from localcloud.stepfunctions.engine import overrides
from localcloud.stepfunctions.engine.program import program, read
from localcloud.stepfunctions.protocol import ServiceError, strict_json
from localcloud.stepfunctions.resources import problem

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")


@dataclass(frozen=True)
class Diagnostic:
    """What is wrong, and where, as a path from the definition's root."""

    code: str
    message: str
    location: str = "/"


def check_definition(definition: str, express: bool) -> None:
    """Check that AWS takes the definition.

    Raises:
        ServiceError: InvalidDefinition, with all that is wrong.
    """
    if found := diagnostics(definition, express):
        text = ", ".join(f"{one.code}: {one.message} at {one.location}" for one in found)
        raise ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")


def diagnostics(definition: str, express: bool) -> list[Diagnostic]:
    """What is wrong with a definition; nothing when AWS takes it."""
    try:
        document = strict_json.loads(definition)
    except (ValueError, RecursionError) as error:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", str(error))]
    if not isinstance(document, dict):
        return [Diagnostic("INVALID_JSON_DESCRIPTION", "The definition is not a JSON object")]
    language = document.get("QueryLanguage", "JSONPath")
    if found := [*_machine(document, "", language, language == "JSONata", express)]:
        return found
    overrides.apply()
    try:
        program(definition)
    except (ASLParserException, RecognitionException, ValueError, TypeError, KeyError, RuntimeError) as error:
        return [Diagnostic(SCHEMA, str(error) or type(error).__name__)]
    return []


@lru_cache(maxsize=256)
def variable_references(definition: str) -> dict[str, list[str]]:
    """The variables that each state refers to, by the state's name."""
    analyser = VariableReferencesStaticAnalyser()
    analyser.visit(read(definition)[1])
    return {state: sorted(names) for state, names in analyser.get_variable_references().items()}


def _machine(machine: dict[str, Any], path: str, language: str, fixed: bool, express: bool) -> Iterator[Diagnostic]:
    """A state machine, or what a Map or Parallel state holds; a `fixed` language is the whole machine's."""
    here = path or "/"
    if missing := [field for field in ("States", "StartAt") if field not in machine]:
        yield Diagnostic(SCHEMA, f"These fields are required: [{', '.join(missing)}]", here)
        return
    states = machine["States"]
    if not isinstance(states, dict) or not states:
        yield Diagnostic(SCHEMA, "Value must be an object with at least one state", f"{path}/States")
        return
    if machine["StartAt"] not in states:
        yield _no_target(machine["StartAt"], "StartAt", f"{path}/StartAt")
    for name, state in states.items():
        where = f"{path}/States/{name}"
        if not isinstance(state, dict):
            yield Diagnostic(SCHEMA, "Value must be an object", where)
            continue
        yield from _state(state, where, language, fixed, express)
        for field, target, at in _targets(state, where):
            if target not in states:
                yield _no_target(target, field, at)


def _state(state: dict[str, Any], where: str, language: str, fixed: bool, express: bool) -> Iterator[Diagnostic]:
    kind = state.get("Type")
    if kind is None:
        yield Diagnostic(SCHEMA, "These fields are required: [Type]", where)
        return
    if kind not in TYPES:
        yield Diagnostic(SCHEMA, f"Value is not valid. It must be one of [{', '.join(TYPES)}]", f"{where}/Type")
        return
    own = state.get("QueryLanguage", language)
    if fixed and own == "JSONPath":
        message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield Diagnostic(SCHEMA, message, where)
    if kind in ("Task", "Pass", "Wait", "Parallel", "Map") and not ("Next" in state or state.get("End") is True):
        yield Diagnostic(SCHEMA, "Either 'Next' or 'End' is required", where)
    if kind == "Task":
        yield from _task(state, where, express)
    for index, branch in enumerate(state.get("Branches", []) if kind == "Parallel" else []):
        yield from _machine(branch, f"{where}/Branches[{index}]", language, fixed, express)
    if kind == "Map":
        yield from _distributed(state, where, express)
    for field in ("ItemProcessor", "Iterator"):
        if kind == "Map" and isinstance(state.get(field), dict):
            yield from _machine(state[field], f"{where}/{field}", language, fixed, _express_map(state[field], express))


def _distributed(state: dict[str, Any], where: str, express: bool) -> Iterator[Diagnostic]:
    """What AWS documents of the fields of a distributed Map, and what of them cannot be done here."""
    processor = state.get("ItemProcessor") or state.get("Iterator") or {}
    config = processor.get("ProcessorConfig") or {} if isinstance(processor, dict) else {}
    if config.get("Mode") != "DISTRIBUTED":
        for field in ("ItemReader", "ItemBatcher", "ResultWriter"):
            if field in state:
                yield Diagnostic(SCHEMA, f"'{field}' is only supported in the mode DISTRIBUTED", f"{where}/{field}")
        return
    if express:
        message = "Express state machine does not support Map state with 'DISTRIBUTED' mode"
        yield Diagnostic(SCHEMA, message, f"{where}/ItemProcessor/ProcessorConfig")
    if config.get("ExecutionType", "STANDARD") not in ("STANDARD", "EXPRESS"):
        message = "Value is not valid. It must be one of [STANDARD, EXPRESS]"
        yield Diagnostic(SCHEMA, message, f"{where}/ItemProcessor/ProcessorConfig/ExecutionType")
    if "ItemBatcher" in state and not any(field in state["ItemBatcher"] for field in BATCH_LIMITS):
        yield Diagnostic(SCHEMA, f"One of these fields is required: {list(BATCH_LIMITS)}", f"{where}/ItemBatcher")
    if "ResultWriter" in state and not {"Resource", "WriterConfig"} & set(state["ResultWriter"]):
        yield Diagnostic(SCHEMA, "Value cannot be empty", f"{where}/ResultWriter")
    reader = state.get("ItemReader", {}).get("ReaderConfig", {})
    for field, values in READER_VALUES.items():
        if field in reader and reader[field] not in values:
            message = f"The local Step Functions reads {', '.join(values)}, not {reader[field]}"
            yield Diagnostic(SCHEMA, message, f"{where}/ItemReader/ReaderConfig/{field}")


BATCH_LIMITS = ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
READER_VALUES = {
    "InputType": ("CSV", "JSON", "JSONL", "MANIFEST"),
    "ManifestType": ("S3_INVENTORY",),
    "CSVDelimiter": ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
    "CSVHeaderLocation": ("FIRST_ROW", "GIVEN"),
}
"""What ReaderConfig may say here; AWS also reads PARQUET and the manifests of Athena."""


def _express_map(processor: dict[str, Any], express: bool) -> bool:
    config = processor.get("ProcessorConfig") or {}
    return config.get("ExecutionType") == "EXPRESS" if config.get("Mode") == "DISTRIBUTED" else express


def _task(state: dict[str, Any], where: str, express: bool) -> Iterator[Diagnostic]:
    resource = state.get("Resource")
    if not isinstance(resource, str) or not resource:
        yield Diagnostic(SCHEMA, "These fields are required: [Resource]", where)
        return
    if (found := problem(resource)) is not None:
        yield Diagnostic(SCHEMA, found, f"{where}/Resource")
        return
    for pattern in (".waitForTaskToken", ".sync:2", ".sync") if express else ():
        if resource.endswith(pattern):
            message = f"Express state machine does not support '{pattern}' service integration"
            # AWS's own text has a blank more for the first of them.
            message += " " if pattern == ".waitForTaskToken" else ""
            yield Diagnostic(SCHEMA, message, f"{where}/Resource")
            return
    if express and ":activity:" in resource:
        yield Diagnostic(SCHEMA, "Express state machine does not support Activity ARN", f"{where}/Resource")


def _targets(state: dict[str, Any], where: str) -> Iterator[tuple[str, Any, str]]:
    """The states to which a state may lead: field, name and place."""
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field], f"{where}/{field}"
    for field in ("Choices", "Catch"):
        rules = state.get(field, [])
        for index, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, dict) and "Next" in rule:
                yield "Next", rule["Next"], f"{where}/{field}[{index}]/Next"


def _no_target(target: Any, field: str, where: str) -> Diagnostic:
    return Diagnostic("MISSING_TRANSITION_TARGET", f"Missing '{field}' target: {target}", where)
