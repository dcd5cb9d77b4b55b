"""Every step's Arguments as the request that SageMaker will make of them, against AWS's model of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.contract.definition import Json, is_expression, steps
from localcloud.contract.requests import BrokenRule, service, violations
from project.problem import Problem

REQUESTS = {
    # step type: operation, the name that the service adds
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "QualityCheck": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Transform": ("CreateTransformJob", "TransformJobName"),
    "Model": ("CreateModel", "ModelName"),
    "RegisterModel": ("CreateModelPackage", None),
    "EndpointConfig": ("CreateEndpointConfig", "EndpointConfigName"),
    "Endpoint": ("CreateEndpoint", "EndpointName"),
}


def requests_are_accepted(definition: Json) -> Iterator[Problem]:
    """Types, required and unknown members, lengths, ranges, alphabets and enumerations of every request."""
    declared = definition.get("Parameters", [])
    defaults = {str(p.get("Name")): p["DefaultValue"] for p in declared if p.get("DefaultValue") is not None}
    for step in steps(definition):
        if step.type not in REQUESTS:
            continue
        operation, name = REQUESTS[step.type]
        request = {**({name: "pipelines-execution-step"} if name else {}), **with_defaults(step.arguments, defaults)}
        shape = service().operation_model(operation).input_shape
        fix = f"What it takes: {operation} in the SageMaker API reference."
        for violation in violations(shape, request, is_open=is_expression):
            yield Problem(f"step {step.name}", f"{operation} refuses it: {_worded(violation)}.", fix)


def with_defaults(value: Any, defaults: dict[str, Any]) -> Any:
    """`value` with parameters replaced by their defaults, and joins written out whose parts are all known then.

    What only the execution knows stays an expression.
    """
    if is_expression(value):
        ((function, inner),) = value.items()
        if function == "Get" and isinstance(inner, str):
            return defaults.get(inner.removeprefix("Parameters."), value)
        if function == "Std:Join":
            parts = [with_defaults(part, defaults) for part in inner.get("Values", [])]
            if not any(map(is_expression, parts)):
                return str(inner.get("On", "")).join(map(str, parts))
        return value
    if isinstance(value, dict):
        return {key: with_defaults(inner, defaults) for key, inner in value.items()}
    return [with_defaults(inner, defaults) for inner in value] if isinstance(value, list) else value


def _worded(violation: BrokenRule) -> str:
    place, value, wanted = violation.place.code, violation.value, violation.wanted
    match violation.rule:
        case "type":
            return f"{place} is {value!r}, and must be {wanted}"
        case "unknown":
            return f"there is no member {place}"
        case "required":
            return f"{place} is missing"
        case "least length" | "greatest length":
            unit = "characters" if isinstance(value, str) else "items" if isinstance(value, list) else "entries"
            return f"{place} has {len(value)} {unit}, and at {_bound(violation)} {wanted} are allowed"
        case "least value" | "greatest value":
            return f"{place} is {value}, and at {_bound(violation)} {wanted} is allowed"
        case "enum":
            return f"{place} is {value!r}, not one of the {len(wanted)} allowed values"
        case "pattern":
            return f"{place} is {value!r}, which does not match {wanted}"


def _bound(violation: BrokenRule) -> str:
    return "least" if violation.rule.startswith("least") else "most"
