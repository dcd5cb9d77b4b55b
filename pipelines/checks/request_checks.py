"""Every step's Arguments as the request that SageMaker will make of them, against botocore's model of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator

from pipelines.checks.problem import Problem
from pipelines.definition.graph import Json, steps

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
NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Z}": r"\s",
    **dict.fromkeys((r"\p{M}", r"\p{S}", r"\p{P}"), r"\W"),
}
PLACEHOLDER = object()
"""Stands for text that only the execution knows: its length and letters cannot be checked."""


def requests_are_accepted(definition: Json) -> Iterator[Problem]:
    """Types, required and unknown fields, lengths, alphabets and enumerations of every request."""
    defaults = {p.get("Name"): p.get("DefaultValue", PLACEHOLDER) for p in definition.get("Parameters", [])}
    for step in steps(definition):
        if step.type not in REQUESTS:
            continue
        operation, name = REQUESTS[step.type]
        shape = _service().operation_model(operation).input_shape
        known = resolved(step.arguments, shape, defaults)
        limits = list(_outside_limits(known, shape, ""))
        request = {name: "pipelines-execution-step", **_filled(known)} if name else _filled(known)
        refusals = ParamValidator().validate(request, shape).generate_report().splitlines()
        fix = f"What it takes: {operation} in the SageMaker API reference."
        for message in (*refusals, *limits):
            yield Problem(f"step {step.name}", f"{operation} refuses it: {message.rstrip('.')}.", fix)


def resolved(value: Any, shape: Shape | None, defaults: dict[Any, Any]) -> Any:
    """`value` with every variable replaced: a parameter by its default, a number by one, other text by PLACEHOLDER."""
    if isinstance(value, dict) and len(value) == 1:
        (key, inner), *_ = value.items()
        if key == "Get" and isinstance(inner, str):
            default = defaults.get(inner.removeprefix("Parameters."), PLACEHOLDER)
            return _number_for(shape) if default is PLACEHOLDER else default
        if key == "Std:JsonGet":
            return _number_for(shape)
        if key == "Std:Join":
            parts = [resolved(part, None, defaults) for part in inner.get("Values", [])]
            if any(part is PLACEHOLDER for part in parts):
                return PLACEHOLDER
            return str(inner.get("On", "")).join(str(part) for part in parts)
    if isinstance(value, dict):
        members = getattr(shape, "members", {}) if shape else {}
        every = shape.value if shape is not None and shape.type_name == "map" else None
        return {key: resolved(inner, members.get(key, every), defaults) for key, inner in value.items()}
    if isinstance(value, list):
        member = shape.member if shape is not None and shape.type_name == "list" else None
        return [resolved(inner, member, defaults) for inner in value]
    return value


def _number_for(shape: Shape | None) -> Any:
    kind = NUMBERS.get(shape.type_name) if shape is not None else None
    return kind(1) if kind else PLACEHOLDER


def _filled(value: Any) -> Any:
    """`value` with text in place of PLACEHOLDER."""
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return "s3://known/later" if value is PLACEHOLDER else value


def _outside_limits(value: Any, shape: Shape | None, path: str) -> Iterator[str]:
    """What ParamValidator leaves to the service: greatest lengths, alphabets, enumerations."""
    if shape is None or value is PLACEHOLDER:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, inner in value.items():
            yield from _outside_limits(inner, shape.members.get(key), f"{path}.{key}".lstrip("."))
    elif shape.type_name == "map" and isinstance(value, dict):
        yield from _too_long(value, shape, path, "entries")
        for key, inner in value.items():
            yield from _outside_limits(key, shape.key, f"{path} key {key!r}")
            yield from _outside_limits(inner, shape.value, f"{path}.{key}")
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _too_long(value, shape, path, "items")
        for index, inner in enumerate(value):
            yield from _outside_limits(inner, shape.member, f"{path}[{index}]")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _too_long(value, shape, path, "characters")
        yield from _wrong_text(value, shape, path)


def _too_long(value: Any, shape: Shape, path: str, unit: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        yield f"{path} has {len(value)} {unit}, and at most {most} are allowed"


def _wrong_text(value: str, shape: Shape, path: str) -> Iterator[str]:
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        yield f"{path} is {value!r}, not one of the {len(allowed)} allowed values"
    elif pattern and not _compiled(pattern).fullmatch(value):
        yield f"{path} is {value!r}, which does not match {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the model in Python's dialect.

    Python has no `\\p{…}` classes: letters and digits become `\\w`, separators `\\s`; marks, symbols and punctuation
    are everything else. Some patterns repeat their end anchor, as in `${1,256}`: lengths are checked on their own.
    """
    python = re.sub(r"\$\{\d+,\d+\}", "", pattern)
    for java, ours in JAVA_CLASSES.items():
        python = python.replace(java, ours)
    python = python.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff")
    return re.compile(python, re.DOTALL)


@cache
def _service() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")
