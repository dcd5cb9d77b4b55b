"""What messages tell people to do can be done: nobody needs a command that `make demo` does not install."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("project", "monitoring", "pipelines", "lambdas", "stepfunctions", "infra", "scones", "steps")
THE_AWS_COMMAND = re.compile(r"\baws (?:configure|s3 [a-z]+|logs [a-z]+|[a-z0-9-]+ [a-z]+-[a-z-]+)")


def sentences(file: Path) -> list[str]:
    """Every string of a module that is not a docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [str(node.value) for node in strings if id(node) not in described]


@pytest.mark.parametrize("room", ROOMS)
def test_no_hint_needs_the_aws_command(room: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}: {text}"
        for file in sorted((ROOT / room).rglob("*.py"))
        for text in sentences(file)
        if THE_AWS_COMMAND.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("text", ["Its log: aws logs tail /aws/lambda/x", "aws s3 ls", "aws cloudformation deploy-it"])
def test_such_a_hint_would_be_found(text: str) -> None:
    assert THE_AWS_COMMAND.search(text)


def test_make_demo_installs_the_aws_command_that_the_pages_use() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    using = [page.name for page in pages if THE_AWS_COMMAND.search(page.read_text(encoding="utf-8"))]
    wanted = importlib.metadata.requires("scones-unlimited") or []
    assert using == [] or any(one.startswith("awscli") and 'extra == "local"' in one for one in wanted)
