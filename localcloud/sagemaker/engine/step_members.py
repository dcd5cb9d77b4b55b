"""The members of Lambda, Callback and QualityCheck steps beside their arguments: their form, and values by type.

Known from the SDK's LambdaStep, CallbackStep and QualityCheckStep, which render them, and from "Pipelines steps" in the
developer guide: outputs have primitive types, and a nested value is one string of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.contract.definition import is_expression

OUTSIDE = ("Lambda", "Callback")
"""Types of steps whose work is done outside of SageMaker."""
TYPES = ("String", "Integer", "Float", "Boolean")
CHECKS = ("DATA_QUALITY", "MODEL_QUALITY")
_TARGET = {"Lambda": "FunctionArn", "Callback": "SqsQueueUrl"}


def outside_problems(item: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the form of a Lambda or Callback step."""
    kind = item["Type"]
    target = item.get(_TARGET[kind])
    if not is_expression(target) and not (isinstance(target, str) and target):
        yield f"a {kind} step needs {_TARGET[kind]}"
    for name, value in item["Arguments"].items():
        if isinstance(value, (dict, list)) and not is_expression(value):
            yield f"argument '{name}' of a {kind} step is nested; they are strings, numbers and booleans"
    outputs = [] if item.get("OutputParameters") is None else item["OutputParameters"]
    if not isinstance(outputs, list):
        yield "OutputParameters is not a list"
        return
    names = []
    for output in outputs:
        if not isinstance(output, dict) or not isinstance(output.get("OutputName"), str):
            yield f"an output needs an OutputName, unlike {json.dumps(output)}"
        elif output.get("OutputType") not in TYPES or set(output) != {"OutputName", "OutputType"}:
            yield f"output '{output['OutputName']}' needs an OutputType, one of {', '.join(TYPES)}, and nothing else"
        else:
            names.append(output["OutputName"])
    yield from (f"more than one output is named '{name}'" for name in sorted(set(names)) if names.count(name) > 1)


def check_problems(item: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the form of a QualityCheck step's own members."""
    if item.get("CheckType") not in CHECKS:
        yield f"CheckType is {item.get('CheckType')!r}, not one of {', '.join(CHECKS)}"
    for name in ("SkipCheck", "FailOnViolation", "RegisterNewBaseline"):
        value = item.get(name)
        if value is not None and not isinstance(value, bool) and not is_expression(value):
            yield f"{name} is {value!r}, not a boolean"
    for name in ("ModelPackageGroupName", "SuppliedBaselineStatistics", "SuppliedBaselineConstraints"):
        value = item.get(name)
        if value is not None and not isinstance(value, str) and not is_expression(value):
            yield f"{name} is {value!r}, not a string"
    config = item["Arguments"].get("ProcessingOutputConfig")
    outputs = config.get("Outputs") if isinstance(config, dict) else None
    if not isinstance(outputs, list) or len(outputs) != 1:
        yield "the check's processing job needs exactly one output, for statistics and constraints"


def typed(kind: str, value: Any) -> Any:
    """A value that a function or a callback gave, as its declared type.

    Raises:
        ValueError: it is none.
    """
    if kind == "String":
        return value if isinstance(value, str) else json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    if kind == "Boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "Integer":
        return int(text)
    if kind == "Float":
        return float(text)
    raise ValueError(f"{text!r} is no {kind}")


def shown(outputs: Mapping[str, Any]) -> list[dict[str, str]]:
    """Outputs as a step's Metadata lists them: every value is text there."""
    return [
        {"Name": name, "Value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in outputs.items()
    ]
