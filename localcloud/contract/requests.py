"""Requests against SageMaker's own service model, which ships with botocore."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import botocore.loaders
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

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

BITS = {"integer": 32, "long": 64}
"""The sizes of the model's numbers, which are Java's."""

Rule = Literal[
    "type", "unknown", "required", "least length", "greatest length", "least value", "greatest value", "enum", "pattern"
]


@dataclass(frozen=True)
class Place:
    """Where a value stands in a request: as code writes it (`A.B[0].C`), and as the service does (`a.b.1.member.c`)."""

    code: str = ""
    wire: str = ""

    def member(self, name: str) -> Place:
        """A structure's member."""
        lower = name[:1].lower() + name[1:]
        return Place(f"{self.code}.{name}".lstrip("."), f"{self.wire}.{lower}".lstrip("."))

    def item(self, index: int) -> Place:
        """A list's item."""
        return Place(f"{self.code}[{index}]", f"{self.wire}.{index + 1}.member")

    def value(self, key: str) -> Place:
        """A map's value."""
        return Place(f"{self.code}.{key}", f"{self.wire}.{key}.member")

    def key(self, key: str) -> Place:
        """A map's key."""
        return Place(f"{self.code} key {key!r}", f"{self.wire} (key)")


@dataclass(frozen=True)
class BrokenRule:
    """A rule of the model that a value breaks; `wanted` is the rule's type, limit, values or pattern."""

    rule: Rule
    place: Place
    value: Any = None
    wanted: Any = None


@cache
def service() -> ServiceModel:
    """The SageMaker service model."""
    return ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def without_nulls(value: Any) -> Any:
    """`value` without the members of objects that are null: what is null is absent."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def violations(
    shape: Shape, value: Any, is_open: Callable[[Any], bool] = lambda value: False, place: Place | None = None
) -> Iterator[BrokenRule]:
    """The rules of `shape` that `value` breaks; a part that `is_open`, to be filled in later, breaks none."""
    place = place or Place()
    if is_open(value):
        return
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield BrokenRule("type", place, value, "an object")
            return
        yield from (
            BrokenRule("required", place.member(name)) for name in shape.required_members if value.get(name) is None
        )
        for name, item in value.items():
            if name not in shape.members:
                yield BrokenRule("unknown", place.member(name), item)
            elif item is not None:
                yield from violations(shape.members[name], item, is_open, place.member(name))
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield BrokenRule("type", place, value, "a list")
            return
        yield from _length(shape, value, place)
        for index, item in enumerate(value):
            yield from violations(shape.member, item, is_open, place.item(index))
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield BrokenRule("type", place, value, "a map")
            return
        yield from _length(shape, value, place)
        for key, item in value.items():
            yield from violations(shape.key, key, is_open, place.key(key))
            yield from violations(shape.value, item, is_open, place.value(key))
    else:
        yield from _scalar(shape, value, place)


def _scalar(shape: Shape, value: Any, place: Place) -> Iterator[BrokenRule]:
    allowed = SCALARS[shape.type_name]
    limits: dict[str, Any] = shape.metadata
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed) or not _fits(shape, value):
        yield BrokenRule("type", place, value, f"a {shape.type_name}")
        return
    if shape.type_name == "string":
        yield from _length(shape, value, place)
        if shape.enum and value not in shape.enum:
            yield BrokenRule("enum", place, value, tuple(shape.enum))
        pattern = limits.get("pattern")
        if pattern and not compiled(pattern).fullmatch(str(value)):
            yield BrokenRule("pattern", place, value, pattern)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if "min" in limits and value < limits["min"]:
            yield BrokenRule("least value", place, value, limits["min"])
        if "max" in limits and value > limits["max"]:
            yield BrokenRule("greatest value", place, value, limits["max"])


def _fits(shape: Shape, value: Any) -> bool:
    """Whether a number has the size of its type, and a time is one: a year from 1 to 9999."""
    if shape.type_name in BITS and isinstance(value, int):
        most: int = 2 ** (BITS[shape.type_name] - 1)
        return -most <= value < most
    if shape.type_name == "timestamp":
        try:
            datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return False
    return True


def _length(shape: Shape, value: Any, place: Place) -> Iterator[BrokenRule]:
    limits = shape.metadata
    if "min" in limits and len(value) < limits["min"]:
        yield BrokenRule("least length", place, value, limits["min"])
    if "max" in limits and len(value) > limits["max"]:
        yield BrokenRule("greatest length", place, value, limits["max"])


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the model in Python's dialect."""
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(re.sub(r"\$\{\d+,\d+\}", "", pattern))  # a few repeat the end of the text, which Java lets pass
