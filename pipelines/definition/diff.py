"""What an upsert would change: two definitions compared step by step, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from localcloud.contract.definition import Json, Step, steps

MISSING = object()


@dataclass(frozen=True)
class DefinitionChange:
    """One difference. `path` is inside `where`, empty when the whole thing was added or removed."""

    kind: Literal["added", "removed", "changed"]
    where: str
    path: str = ""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.kind]
        if not self.path:
            return f"{sign} {self.where}"
        sides = {
            "added": _short(self.after),
            "removed": _short(self.before),
            "changed": f"{_short(self.before)} -> {_short(self.after)}",
        }
        return f"{sign} {self.where}: {self.path}: {sides[self.kind]}"

    def as_json(self) -> Json:
        return asdict(self)


def definition_changes(deployed: Json, new: Json) -> list[DefinitionChange]:
    """Changes of steps, parameters and the rest, in the order of the new definition; removed things last."""
    rest_before, rest_after = _without_lists(deployed), _without_lists(new)
    return [
        *_named("parameter", _parameters(deployed), _parameters(new)),
        *_named("step", {s.name: _own(s) for s in steps(deployed)}, {s.name: _own(s) for s in steps(new)}),
        *values("definition", rest_before, rest_after),
    ]


def values(where: str, before: Any, after: Any, path: str = "") -> Iterator[DefinitionChange]:
    """Changes between two JSON values, at the deepest path where they differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            inner = f"{path}.{key}" if path else key
            yield from values(where, before.get(key, MISSING), after.get(key, MISSING), inner)
    elif isinstance(before, list) and isinstance(after, list):
        keys_before, keys_after = _keyed(before), _keyed(after)
        if set(keys_before) == set(keys_after) and list(keys_before) != list(keys_after):
            yield DefinitionChange("changed", where, f"{path} (order)", list(keys_before), list(keys_after))
        for key in {**keys_before, **keys_after}:
            yield from values(where, keys_before.get(key, MISSING), keys_after.get(key, MISSING), f"{path}[{key}]")
    elif before is MISSING:
        yield DefinitionChange("added", where, path, None, after)
    elif after is MISSING:
        yield DefinitionChange("removed", where, path, before, None)
    elif before != after or type(before) is not type(after):
        yield DefinitionChange("changed", where, path, before, after)


def _named(kind: str, before: dict[str, Json], after: dict[str, Json]) -> Iterator[DefinitionChange]:
    for name, value in after.items():
        if name in before:
            yield from values(f"{kind} {name}", before[name], value)
        else:
            yield DefinitionChange("added", f"{kind} {name}")
    for name in before:
        if name not in after:
            yield DefinitionChange("removed", f"{kind} {name}")
    common_before, common_after = [n for n in before if n in after], [n for n in after if n in before]
    if common_before != common_after:
        yield DefinitionChange("changed", f"{kind}s", "order", common_before, common_after)


def _own(step: Step) -> Json:
    """A step without the steps in its branches, but with its own place among the branches."""
    return {**step.body, "Arguments": step.arguments, "Branch": [step.within, step.branch]}


def _parameters(definition: Json) -> dict[str, Json]:
    return {parameter["Name"]: parameter for parameter in definition.get("Parameters", [])}


def _without_lists(definition: Json) -> Json:
    return {key: value for key, value in definition.items() if key not in {"Parameters", "Steps"}}


def _keyed(items: list[Any]) -> dict[Any, Any]:
    """List items under the name that SageMaker gives them, so that an inserted one does not shift the rest."""
    for field in ("InputName", "OutputName", "ChannelName", "PropertyFileName", "Name"):
        named = {item[field]: item for item in items if isinstance(item, dict) and isinstance(item.get(field), str)}
        if items and len(named) == len(items):
            return named
    return dict(enumerate(items))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
