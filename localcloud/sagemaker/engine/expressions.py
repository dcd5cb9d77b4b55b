"""The expressions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`.

A property path runs over the answer of the step's Describe operation. Items of a list are found by number or by name:
`ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`, `FinalMetricDataList['m'].Value`, `Containers[0].Image`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.contract.definition import is_expression

NAME_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "VariantName", "Name")
"""The members that name the items of a list in SageMaker's answers."""

_PART = re.compile(r"""\.?(?P<member>[^.\[\]'"]+)|\['(?P<single>[^']*)'\]|\["(?P<double>[^"]*)"\]|\[(?P<index>\d+)\]""")
_SHOWN = 8

Path = tuple[str | int, ...]


class ExpressionError(Exception):
    """An expression is malformed, or what it points to is not there."""


@dataclass(frozen=True)
class ParsedReference:
    """What a `Get` points to: `root` is Parameters, Execution or Steps; `path` is what follows the name."""

    root: str
    name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.root}.{self.name}{written(self.path)}"


@dataclass(frozen=True)
class Scope:
    """What expressions are resolved against.

    Attributes:
        parameters: values by parameter name, of the declared type.
        execution: values by name (PipelineName, PipelineExecutionId, ...).
        step: a step's properties by its name.
        property_file: the parsed JSON of a step's property file, by the names of both.
        s3_json: the parsed JSON of an S3 object, by its URI.
    """

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    step: Callable[[str], Any]
    property_file: Callable[[str, str], Any]
    s3_json: Callable[[str], Any]


def resolve(value: Any, scope: Scope) -> Any:
    """`value` with every expression in it replaced by what it stands for, and without null members.

    Raises:
        ExpressionError: malformed, or what it points to is not there.
    """
    if is_expression(value):
        function, argument = next(iter(value.items()))
        if function == "Get":
            return _get(parse_get(argument), scope)
        if function == "Std:Join":
            separator, values = _join_arguments(argument)
            return str(resolve(separator, scope)).join(as_text(resolve(item, scope)) for item in values)
        return _json_get(argument, scope)
    if isinstance(value, dict):
        return {key: resolve(item, scope) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    return value


def references(value: Any) -> Iterator[ParsedReference]:
    """Every `Get` in `value`, those inside joins and property files too.

    Raises:
        ExpressionError: an expression is malformed.
    """
    if is_expression(value):
        function, argument = next(iter(value.items()))
        if function == "Get":
            yield parse_get(argument)
            return
        if function == "Std:Join":
            separator, values = _join_arguments(argument)
            yield from references([separator, *values])
            return
        source, path = _json_get_arguments(argument)
        parse_path(path)
        yield from references(source)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def parse_get(text: Any) -> ParsedReference:
    """`Steps.Train.ModelArtifacts.S3ModelArtifacts` as its parts.

    Raises:
        ExpressionError: it does not start with Parameters, Execution or Steps, or names nothing.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"Get takes a string, not {text!r}")
    root, _, rest = text.partition(".")
    if root not in ("Parameters", "Execution", "Steps"):
        raise ExpressionError(f"Get '{text}' does not start with Parameters, Execution or Steps")
    name, *path = parse_path(rest)
    if not isinstance(name, str):
        raise ExpressionError(f"Get '{text}' names nothing")
    return ParsedReference(root, name, tuple(path))


def parse_path(text: Any) -> Path:
    """`a.b['c d'][0]` as ("a", "b", "c d", 0); a leading `$` is allowed.

    Raises:
        ExpressionError: not a path.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"a path is a string, not {text!r}")
    parts: list[str | int] = []
    position = 1 if text.startswith("$") else 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            break
        position = match.end()
        parts.append(
            int(match["index"]) if match["index"] else str(match["member"] or match["single"] or match["double"])
        )
    if not parts or position < len(text):
        raise ExpressionError(f"'{text}' is not a path such as a.b['name'][0]")
    return tuple(parts)


def written(path: Path) -> str:
    """A path as definitions write it, with a leading dot."""
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" if re.fullmatch(r"[\w-]+", part) else f"['{part}']"
        for part in path
    )


def look_up(document: Any, path: Path) -> Any:
    """The value at `path`.

    Raises:
        ExpressionError: there is none; says how far the path led, and what is there.
    """
    value = document
    for depth, part in enumerate(path):
        numbered = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if numbered or (isinstance(value, dict) and part in value):
            value = value[part]
        elif isinstance(value, list) and (named := [item for item in value if _name_of(item) == part]):
            value = named[0]
        else:
            there = f"'{written(path[:depth]).lstrip('.')}'" if depth else "the document"
            raise ExpressionError(f"nothing at '{written(path).lstrip('.')}': {there} {_contents(value)}")
    return value


def as_text(value: Any) -> str:
    """A scalar as Std:Join writes it: booleans and numbers in JSON's form.

    Raises:
        ExpressionError: not a scalar.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise ExpressionError(f"Std:Join takes strings, numbers and booleans, not {type(value).__name__}")


def _get(reference: ParsedReference, scope: Scope) -> Any:
    if reference.root == "Steps":
        if len(reference.path) == 2 and reference.path[0] == "PropertyFiles":
            return scope.property_file(reference.name, str(reference.path[1]))
        try:
            return look_up(scope.step(reference.name), reference.path)
        except ExpressionError as error:
            raise ExpressionError(f"step {reference.name} has {error}") from None
    values = scope.parameters if reference.root == "Parameters" else scope.execution
    if reference.name not in values or reference.path:
        raise ExpressionError(f"{reference} is not defined")
    return values[reference.name]


def _json_get(argument: Any, scope: Scope) -> Any:
    source, path = _json_get_arguments(argument)
    if "S3Uri" in argument:
        uri = resolve(source, scope)
        document, origin = scope.s3_json(uri), str(uri)
    else:
        reference = parse_get(source["Get"])
        document = scope.property_file(reference.name, str(reference.path[1]))
        origin = f"property file {reference.path[1]} of step {reference.name}"
    try:
        return look_up(document, parse_path(resolve(path, scope)))
    except ExpressionError as error:
        raise ExpressionError(f"Std:JsonGet found {error}, in {origin}") from None


def _join_arguments(argument: Any) -> tuple[Any, list[Any]]:
    if not isinstance(argument, dict) or not isinstance(argument.get("Values"), list):
        raise ExpressionError("Std:Join takes an object with On and a list of Values")
    return argument.get("On", ""), argument["Values"]


def _json_get_arguments(argument: Any) -> tuple[Any, str]:
    """The source (a `Get` of a property file, or an S3 URI) and the path."""
    sources = [key for key in ("PropertyFile", "S3Uri") if isinstance(argument, dict) and key in argument]
    if len(sources) != 1 or not isinstance(argument.get("Path"), str):
        raise ExpressionError("Std:JsonGet takes a Path and either PropertyFile or S3Uri")
    source = argument[sources[0]]
    if sources[0] == "PropertyFile":
        reference = parse_get(source["Get"]) if isinstance(source, dict) and "Get" in source else None
        if reference is None or reference.root != "Steps" or reference.path[:1] != ("PropertyFiles",):
            raise ExpressionError("the PropertyFile of Std:JsonGet is a Get of Steps.<step>.PropertyFiles.<name>")
        if len(reference.path) != 2:
            raise ExpressionError(f"Get '{reference}' is not Steps.<step>.PropertyFiles.<name>")
    return source, argument["Path"]


def _name_of(item: Any) -> Any:
    return next((item[key] for key in NAME_MEMBERS if key in item), None) if isinstance(item, dict) else None


def _contents(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(str(key) for key in value)
    elif isinstance(value, list):
        names = [str(_name_of(item) or number) for number, item in enumerate(value)]
    else:
        return f"is {type(value).__name__}"
    return f"has {', '.join(names[:_SHOWN]) or 'nothing'}{', ...' if len(names) > _SHOWN else ''}"
