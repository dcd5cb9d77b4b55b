"""Pipeline parameters: what a definition declares, and the strings that an execution is started with."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {"String": (str,), "Integer": (int,), "Float": (int, float), "Boolean": (bool,)}
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class ParameterError(Exception):
    """A value does not fit its parameter, is missing, or belongs to no parameter."""


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; `default` is None where there is none, `allowed` is empty where anything goes."""

    name: str
    type: str
    default: Any
    allowed: tuple[str, ...]


def problems(declared: Any) -> Iterator[str]:
    """What is wrong with one item of a definition's `Parameters`."""
    if not isinstance(declared, dict) or not _NAME.fullmatch(str(declared.get("Name", ""))):
        yield f"a parameter needs a Name of letters, digits, - and _: {declared!r}"
        return
    name, kind, default = declared["Name"], declared.get("Type"), declared.get("DefaultValue")
    unknown = set(declared) - {"Name", "Type", "DefaultValue", "EnumValues"}
    if unknown:
        yield f"parameter '{name}' has unknown member {sorted(unknown)[0]}"
    if kind not in TYPES:
        yield f"parameter '{name}' is of type {kind!r}, not one of {', '.join(TYPES)}"
    elif default is not None and not _is_a(kind, default):
        yield f"the default {default!r} of parameter '{name}' is not of type {kind}"
    elif (allowed := declared.get("EnumValues")) and default is not None and default not in allowed:
        yield f"the default {default!r} of parameter '{name}' is not one of {', '.join(map(str, allowed))}"


def read(declared: dict[str, Any]) -> Parameter:
    """A declared parameter without problems."""
    return Parameter(
        declared["Name"], declared["Type"], declared.get("DefaultValue"), tuple(declared.get("EnumValues") or ())
    )


def values(declared: Mapping[str, Parameter], given: Mapping[str, str]) -> dict[str, Any]:
    """The value of every declared parameter, of its type: from `given` (strings, as the API has them) or the default.

    Raises:
        ParameterError: unknown, missing, or not of the declared type.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        known = ", ".join(declared) or "none"
        raise ParameterError(f"Unknown parameters: [{', '.join(unknown)}]. The pipeline declares: {known}.")
    missing = sorted(name for name, parameter in declared.items() if name not in given and parameter.default is None)
    if missing:
        raise ParameterError(f"Missing values for parameters without a default: [{', '.join(missing)}].")
    return {
        name: _typed(parameter, given[name]) if name in given else parameter.default
        for name, parameter in declared.items()
    }


def _typed(parameter: Parameter, text: str) -> Any:
    value: Any = None
    if parameter.type == "String":
        value = text or None
    elif parameter.type == "Integer" and _INTEGER.fullmatch(text):
        value = int(text)
    elif parameter.type == "Float" and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        value = float(text)
    elif parameter.type == "Boolean" and text.lower() in ("true", "false"):
        value = text.lower() == "true"
    if value is None:
        raise ParameterError(f"Parameter [{parameter.name}] takes a value of type {parameter.type}, not {text!r}.")
    if parameter.allowed and value not in parameter.allowed:
        allowed = ", ".join(map(str, parameter.allowed))
        raise ParameterError(f"Parameter [{parameter.name}] takes one of [{allowed}], not {text!r}.")
    return value


def _is_a(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "Boolean"
    return isinstance(value, TYPES[kind]) and not (isinstance(value, float) and not math.isfinite(value))
