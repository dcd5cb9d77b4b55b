"""SageMaker's JSON 1.1 protocol, spoken with botocore's own service model.

Requests are checked against the input shape of the operation (unknown and missing members, types, lengths, ranges,
enumerations and patterns), so that what AWS refuses is refused here. Times travel as epoch seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from localcloud.sagemaker.errors import ServiceError

JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{M}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{P}": r"!-~\u00a1-\U0010ffff",
    r"\p{S}": r"!-~\u00a1-\U0010ffff",
    r"\p{Alnum}": "A-Za-z0-9",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
}
"""Character classes of the model's regular expressions, which are Java's, and the nearest that Python has."""

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str, bytes),
}


@cache
def service() -> ServiceModel:
    """The SageMaker service model that ships with botocore."""
    return ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def operation(name: str) -> OperationModel:
    """The model of one operation.

    Raises:
        ServiceError: SageMaker has no such operation.
    """
    if name not in service().operation_names:
        raise ServiceError("UnknownOperationException", f"SageMaker has no operation {name!r}.", 404)
    return service().operation_model(name)


def check_request(name: str, request: Any) -> dict[str, Any]:
    """Return `request` if the operation's input shape admits it.

    Raises:
        ServiceError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    shape = operation(name).input_shape
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", f"{name}: the request is not a JSON object.")
    if shape is None:
        return {}
    found = list(problems(shape, request))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise ServiceError("ValidationException", count + "; ".join(found))
    return request


def problems(
    shape: Shape, value: Any, path: str = "", is_open: Callable[[Any], bool] = lambda value: False
) -> Iterator[str]:
    """The constraints of `shape` that `value` breaks; a part that `is_open`, to be filled in later, breaks none.

    Raises:
        ServiceError: a value of the wrong type, or an unknown member.
    """
    if is_open(value):
        return
    if isinstance(shape, StructureShape):
        _expect(isinstance(value, dict), value, path, "an object")
        yield from (
            f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
            for name in shape.required_members
            if value.get(name) is None
        )
        for name, item in value.items():
            if name not in shape.members:
                raise ServiceError("ValidationException", f"Unknown parameter in input: '{_join(path, name)}'")
            if item is not None:
                yield from problems(shape.members[name], item, _join(path, name), is_open)
    elif isinstance(shape, ListShape):
        _expect(isinstance(value, list), value, path, "a list")
        yield from _length(shape, value, path)
        for index, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}.{index + 1}.member", is_open)
    elif isinstance(shape, MapShape):
        _expect(isinstance(value, dict), value, path, "a map")
        yield from _length(shape, value, path)
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path} (key)", is_open)
            yield from problems(shape.value, item, f"{path}.{key}.member", is_open)
    else:
        yield from _scalar_problems(shape, value, path)


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    allowed = SCALARS[shape.type_name]
    right_type = isinstance(value, allowed) and not (isinstance(value, bool) and bool not in allowed)
    _expect(right_type, value, path, f"a {shape.type_name}")
    limits = shape.metadata
    if shape.type_name == "string":
        yield from _length(shape, value, path)
        if shape.enum and value not in shape.enum:
            wanted = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: {wanted}"
        pattern = limits.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            wanted = f"Member must satisfy regular expression pattern: {pattern}"
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: {wanted}"
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if "min" in limits and value < limits["min"]:
            wanted = f"Member must have value greater than or equal to {limits['min']}"
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: {wanted}"
        if "max" in limits and value > limits["max"]:
            wanted = f"Member must have value less than or equal to {limits['max']}"
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: {wanted}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(re.sub(r"\$\{\d+,\d+\}$", "", pattern))  # a few repeat the end of the text, which Java lets pass


def _length(shape: Shape, value: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    if "min" in limits and len(value) < limits["min"]:
        wanted = f"Member must have length greater than or equal to {limits['min']}"
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: {wanted}"
    if "max" in limits and len(value) > limits["max"]:
        wanted = f"Member must have length less than or equal to {limits['max']}"
        yield f"Value of length {len(value)} at '{path}' failed to satisfy constraint: {wanted}"


def _join(path: str, name: str) -> str:
    """AWS writes paths in lower camel case, with dots."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _expect(ok: bool, value: Any, path: str, wanted: str) -> None:
    if not ok:
        raise ServiceError("SerializationException", f"'{path}' is {type(value).__name__}, and must be {wanted}.")


def response_body(name: str, result: Mapping[str, Any] | None) -> dict[str, Any]:
    """`result` as the operation's output shape has it: known members only, no nulls, times as epoch seconds.

    A record in the store may therefore hold more than the API shows.
    """
    shape = operation(name).output_shape
    if shape is None or not result:
        return {}
    shaped: dict[str, Any] = _shaped(shape, result, name)
    return shaped


def _shaped(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        return {
            key: _shaped(member, value[key], f"{path}.{key}")
            for key, member in shape.members.items()
            if value.get(key) is not None
        }
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, item, f"{path}[]") for item in value]
    if isinstance(shape, MapShape):
        return {key: _shaped(shape.value, item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, datetime):
        return value.timestamp()
    if not isinstance(value, SCALARS[shape.type_name]):
        raise TypeError(f"{path} is {type(value).__name__}, and the model says {shape.type_name}")
    return value
