"""Requests and definitions that are wrong in ways that nobody thinks of, from a seeded generator."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from localcloud.sagemaker import protocol
from localcloud.service.endpoint import parsed
from localcloud.service.errors import ServiceError

DEEP = 20_000
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    -(10**30),
    2**63,
    10**400,
    1e308,
    0.5,
    "",
    "\ud800",
    "a\udfffb",
    "x" * 300,
    "\x00",
    "2026-13-45",
    f"P{10**12}D",
    "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p",
    "s3://",
    "s3://bucket",
    "{",
    "[]",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"Get": 3},
    {"Get": "Steps."},
    {"Get": "Parameters.P[0]"},
    {"Get": "Parameters.I"},
    {"Std:Join": {"On": 1, "Values": [None]}},
    {"Std:JsonGet": {"PropertyFile": {"Get": []}, "Path": "a"}},
    {"Std:JsonGet": {"S3Uri": "s3://bucket/a.json", "Path": "a"}},
)
"""What takes the place of a value."""
NAMES = ("p", "m", "e", "bucket", "a", "train")
"""Names that may be of something that is there."""


def requested(shape: Shape | None, draw: random.Random, depth: int = 0) -> Any:
    """A request that the shape admits, more or less: all required members, and some others."""
    if isinstance(shape, StructureShape):
        chosen = [
            name
            for name in shape.members
            if name in shape.required_members or (depth < 4 and draw.random() < 0.25 / (depth + 1))
        ]
        return {name: requested(shape.members[name], draw, depth + 1) for name in chosen}
    if isinstance(shape, ListShape):
        return [requested(shape.member, draw, depth + 1) for _ in range(max(1, shape.metadata.get("min", 0)))]
    if isinstance(shape, MapShape):
        return {"key": requested(shape.value, draw, depth + 1)}
    return _scalar(shape, draw)


def _scalar(shape: Shape | None, draw: random.Random) -> Any:
    if shape is None:
        return {}
    if shape.type_name == "string":
        return draw.choice(shape.enum) if shape.enum else _text(shape, draw)
    if shape.type_name == "boolean":
        return draw.random() < 0.5
    if shape.type_name == "timestamp":
        return draw.choice((0, 1.8e9, "2026-01-01T00:00:00Z"))
    return max(1, shape.metadata.get("min", 1))


def _text(shape: Shape, draw: random.Random) -> str:
    name, pattern = shape.name, shape.metadata.get("pattern", "")
    kinds = {"S3": "s3://bucket/key", "Uri": "s3://bucket/key", "Arn": "arn:aws:iam::000000000000:role/example"}
    for word, text in kinds.items():
        if word in name or word.lower() in pattern:
            return text
    return draw.choice(NAMES).ljust(shape.metadata.get("min", 1), "x")


def mutated(document: Any, draw: random.Random) -> Any:
    """A copy in which one value is another one, is gone, or is there twice."""
    changed = copy.deepcopy(document)
    places = list(_places(changed))
    if not places:
        return draw.choice(WRONG)
    holder, key = draw.choice(places)
    choice = draw.random()
    if choice < 0.15:
        del holder[key]
    elif choice < 0.25 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif choice < 0.3 and isinstance(holder, dict):
        holder[draw.choice(("", "Unknown", "Type", "Get", "\ud800"))] = holder[key]
    else:
        holder[key] = copy.deepcopy(draw.choice(WRONG))
    return changed


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item, by what holds it and its key."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield document, key
            yield from _places(value)
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield document, index
            yield from _places(value)


def deep(draw: random.Random) -> str:
    """JSON text that is nested deeper than any request."""
    depth = draw.choice((150, 600, DEEP))
    return draw.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))


def request_body(operation: str, draw: random.Random) -> bytes:
    """The body of a wrong request."""
    if draw.random() < 0.02:
        return deep(draw).encode()
    document = requested(protocol.operation(operation).input_shape, draw)
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        document = mutated(document, draw)
    return json.dumps(document).encode()


def definition_text(definitions: tuple[Any, ...], draw: random.Random) -> str:
    """A wrong definition, made of one of those."""
    if draw.random() < 0.02:
        return deep(draw)
    document = draw.choice(definitions)
    for _ in range(draw.choice((1, 1, 2, 3))):
        document = mutated(document, draw)
    return json.dumps(document)


def fault(call: Callable[[str, Any], Any], operation: str, body: bytes) -> str:
    """What an operation answers a body with if that is neither an answer nor a refusal: the error; else ""."""
    try:
        json.dumps(call(operation, parsed(body)))
    except ServiceError as error:
        json.dumps(error.message).encode()
        return "" if error.status < 500 or error.code == "NotImplementedException" else f"{error.code}: {error.message}"
    except Exception as error:  # what a fuzzer is for
        return f"{type(error).__name__}: {error}"[:300]
    return ""
