"""SageMaker's JSON 1.1 protocol, spoken with botocore's own service model.

Requests are checked against the input shape of the operation (unknown and missing members, types, lengths, ranges,
enumerations and patterns), so that what AWS refuses is refused here. Times travel as epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from localcloud.contract.requests import SCALARS, BrokenRule, service, violations
from localcloud.sagemaker.errors import ServiceError


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
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", f"{name}: the request is not a JSON object.")
    shape = operation(name).input_shape
    return {} if shape is None else check_shape(shape, request)


def check_shape(shape: Shape, request: dict[str, Any]) -> dict[str, Any]:
    """Return `request` if the input shape admits it, whatever service it is of.

    Raises:
        ServiceError: as for `check_request`.
    """
    found = list(violations(shape, request))
    for violation in found:
        if violation.rule in ("type", "unknown"):
            code = "SerializationException" if violation.rule == "type" else "ValidationException"
            raise ServiceError(code, worded(violation))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise ServiceError("ValidationException", count + "; ".join(map(worded, found)))
    return request


def worded(violation: BrokenRule) -> str:
    """What a request breaks, in the service's words."""
    place, value, wanted = violation.place.wire, violation.value, violation.wanted
    if violation.rule == "type":
        return f"'{place}' is {type(value).__name__}, and must be {wanted}."
    if violation.rule == "unknown":
        return f"Unknown parameter in input: '{place}'"
    if violation.rule == "required":
        return f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
    constraint = {
        "least length": f"Member must have length greater than or equal to {wanted}",
        "greatest length": f"Member must have length less than or equal to {wanted}",
        "least value": f"Member must have value greater than or equal to {wanted}",
        "greatest value": f"Member must have value less than or equal to {wanted}",
        "enum": f"Member must satisfy enum value set: [{', '.join(wanted) if violation.rule == 'enum' else ''}]",
        "pattern": f"Member must satisfy regular expression pattern: {wanted}",
    }[violation.rule]
    shown = f" of length {len(value)}" if violation.rule == "greatest length" else f" '{value}'"
    return f"Value{shown} at '{place}' failed to satisfy constraint: {constraint}"


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
