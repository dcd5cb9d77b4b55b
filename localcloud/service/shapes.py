"""Requests and answers, held against the shapes of a service model that ships with botocore.

Requests are checked for unknown and missing members, types, lengths, ranges, enumerations and patterns, so that what
AWS refuses is refused here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from localcloud.contract.requests import BrokenRule, violations, without_nulls
from localcloud.service.errors import ServiceError

Scalar = Callable[[Shape, Any, str], Any]
"""(the shape, the value, where it stands) to the value as it travels."""

LONGEST_SHOWN = 4096
"""A refused text beyond it is told by its length, where AWS shows all of it."""


def operation_model(service: ServiceModel, title: str, name: str) -> OperationModel:
    """The model of one operation of the service that people call `title`.

    Raises:
        ServiceError: it has no such operation.
    """
    if name not in service.operation_names:
        raise ServiceError("UnknownOperationException", f"{title} has no operation {name[:100]!r}.", 404)
    return service.operation_model(name)


def check_input(operation: OperationModel, request: Any) -> dict[str, Any]:
    """`request` if the operation's input shape admits it, without its nulls: what is null is absent.

    A token of idempotency that the SDKs make themselves is made for who sends none.

    Raises:
        ServiceError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", f"{operation.name}: the request is not a JSON object.")
    shape = operation.input_shape
    if shape is None:
        return {}
    request = without_nulls(request)
    found = list(violations(shape, request))
    for violation in found:
        if violation.rule in ("type", "unknown"):
            code = "SerializationException" if violation.rule == "type" else "ValidationException"
            raise ServiceError(code, worded(violation))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise ServiceError("ValidationException", count + "; ".join(map(worded, found)))
    tokens = {name: str(uuid.uuid4()) for name, member in shape.members.items() if _is_token(member)}
    return {**tokens, **request}


def _is_token(member: Shape) -> bool:
    return bool(member.metadata.get("idempotencyToken"))


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
    is_long = violation.rule == "greatest length" and len(value) > LONGEST_SHOWN
    shown = f" of length {len(value)}" if is_long else f" '{value}'"
    return f"Value{shown} at '{place}' failed to satisfy constraint: {constraint}"


def output(operation: OperationModel, result: Any, scalar: Scalar) -> dict[str, Any]:
    """`result` as the operation's output shape has it: known members only, no nulls, each value as `scalar` makes it.

    A record in the store may therefore hold more than the API shows.
    """
    shape = operation.output_shape
    if shape is None or not result:
        return {}
    shaped: dict[str, Any] = _shaped(shape, result, operation.name, scalar)
    return shaped


def _shaped(shape: Shape, value: Any, path: str, scalar: Scalar) -> Any:
    if isinstance(shape, StructureShape):
        return {
            key: _shaped(member, value[key], f"{path}.{key}", scalar)
            for key, member in shape.members.items()
            if value.get(key) is not None
        }
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, item, f"{path}[]", scalar) for item in value]
    if isinstance(shape, MapShape):
        return {key: _shaped(shape.value, item, f"{path}.{key}", scalar) for key, item in value.items()}
    return scalar(shape, value, path)
