"""What is known of the JSON that goes through a state machine, without running it.

A path is there, may be missing, or is missing. Of what a function returns nothing is known, and nothing is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

Step = str | int
MOST_DEPTH = 8
"""Objects deeper than this are not followed, so that a loop that wraps its own state comes to an end."""
PATH = re.compile(r"\$(?:\.[A-Za-z_][\w-]*|\['[^']*'\]|\[\d+\])*")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\[(\d+)\]")


class Found(IntEnum):
    """Whether a path leads somewhere."""

    MISSING = 0
    MAYBE = 1
    THERE = 2


@dataclass(frozen=True)
class Anything:
    """Nothing is known. `is_input`: it is (part of) what the execution is started with, so it may lack anything."""

    is_input: bool = False


@dataclass(frozen=True)
class Scalar:
    """Text, a number, true, false or null; `value` is None where only that is known."""

    value: Any = None


@dataclass(frozen=True)
class Array:
    """A list; `items` is None where it is not known how many there are."""

    items: tuple[Value, ...] | None = None


@dataclass(frozen=True)
class Record:
    """An object. `rest` is what its other members may be; None if there are none.

    Attributes:
        members: by name, the value and whether it is there for certain.
    """

    members: tuple[tuple[str, Value, bool], ...]
    rest: Anything | None = None


Value = Anything | Scalar | Array | Record


def record(members: dict[str, tuple[Value, bool]], rest: Anything | None = None) -> Record:
    """An object with these members: the value and whether it is certain."""
    return Record(tuple((name, *members[name]) for name in sorted(members)), rest)


def literal(value: Any) -> Value:
    """A value that stands in the definition."""
    if isinstance(value, dict):
        return record({str(name): (literal(inner), True) for name, inner in value.items()})
    if isinstance(value, list):
        return Array(tuple(map(literal, value)))
    return Scalar(value)


def parsed(path: str) -> list[Step] | None:
    """The steps of a plain path; None for one with filters, wildcards or functions, of variables or of the context."""
    if not PATH.fullmatch(path):
        return None
    return [int(index) if index else name or quoted for name, quoted, index in _STEP.findall(path)]


def look_up(value: Value, steps: list[Step]) -> tuple[Value, Found]:
    """What the path leads to, and whether it is there."""
    found = Found.THERE
    for step in steps:
        value, here = _member(value, step)
        found = min(found, here)
        if found is Found.MISSING:
            return Anything(), found
    return value, found


def _member(value: Value, step: Step) -> tuple[Value, Found]:
    if isinstance(value, Record) and isinstance(step, str):
        for name, inner, certain in value.members:
            if name == step:
                return inner, Found.THERE if certain else Found.MAYBE
        value = value.rest or Scalar()
    if isinstance(value, Anything):
        return value, Found.MAYBE if value.is_input else Found.THERE
    if isinstance(value, Array) and isinstance(step, int):
        if value.items is None:
            return Anything(), Found.THERE
        if step < len(value.items):
            return value.items[step], Found.THERE
    return Anything(), Found.MISSING


def put(value: Value, steps: list[Step], new: Value) -> Value:
    """`value` with `new` at the path, as ResultPath puts it there."""
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    if isinstance(step, int) or isinstance(value, Array):
        return Anything()
    known = value if isinstance(value, Record) else Record((), value if isinstance(value, Anything) else None)
    inner, _ = _member(known, step)
    members = {name: (old, certain) for name, old, certain in known.members}
    members[step] = (put(inner, rest, new), True)
    return record(members, known.rest)


def refined(value: Value, steps: list[Step]) -> Value:
    """`value` where the path is known to be there, because a state or a rule has read it."""
    inner, found = look_up(value, steps)
    return put(value, steps, inner) if found is Found.MAYBE and all(isinstance(step, str) for step in steps) else value


def joined(one: Value, other: Value, depth: int = 0) -> Value:
    """What is known where two ways meet."""
    if one == other:
        return one
    if isinstance(one, Record) and isinstance(other, Record) and depth < MOST_DEPTH:
        members: dict[str, tuple[Value, bool]] = {}
        for this, that in ((one, other), (other, one)):
            theirs = {name: (inner, certain) for name, inner, certain in that.members}
            for name, inner, certain in this.members:
                if name in theirs:
                    members[name] = (joined(inner, theirs[name][0], depth + 1), certain and theirs[name][1])
                else:
                    members[name] = (inner, certain and that.rest == Anything())
        rests = {one.rest, other.rest} - {None}
        rest = Anything(is_input=Anything(is_input=True) in rests) if rests else None
        return record(members, rest)
    if isinstance(one, Array) and isinstance(other, Array):
        return Array()
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return Scalar()
    inputs = [value for value in (one, other) if value == Anything(is_input=True)]
    others = [value for value in (one, other) if value != Anything(is_input=True)]
    if inputs and others and isinstance(others[0], Record):
        return joined(Record((), inputs[0]), others[0], depth)
    return Anything()
