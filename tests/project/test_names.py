"""What a function does to the world is in its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "project",
    "pipelines",
    "monitoring",
    "steps",
    "stepfunctions",
    "infra",
    "lambdas",
    "scones/cli",
    "scones/demo",
)
ACTING = re.compile(
    r"(create|put|delete|update|start|stop|upload|retry|execute|enable|disable)_\w+"
    r"|invoke(_\w+)?|publish|subscribe|unsubscribe|write_(text|bytes|json|file|folder)|unlink|rmtree|sleep|wait_\w+"
)
PARTICIPLE = re.compile(r"_?[a-z]+(ed|ing)(_|$)")


def functions(room: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for file in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield file, node


def calls(node: ast.AST) -> set[str]:
    """The last names of everything that is called: `put_object` of `client.put_object(…)`."""
    called = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else f.id for f in called if isinstance(f, ast.Attribute | ast.Name)}


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_that_acts_is_not_named_by_a_participle(room: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {', '.join(acting)}"
        for file, node in functions(room)
        if PARTICIPLE.match(node.name) and (acting := sorted(name for name in calls(node) if ACTING.fullmatch(name)))
    ]
    assert not found, found
