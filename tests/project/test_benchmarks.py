"""What benchmarks import from the project is there: nothing else reads them between two measurements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))


def defined(module: Path) -> set[str]:
    """Every name that a module binds, at its top or in a branch of it."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {
        name
        for node in ast.walk(tree)
        for name in (
            *([node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else ()),
            *([node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ()),
            *(each.asname or each.name for each in getattr(node, "names", []) if isinstance(each, ast.alias)),
        )
    }


def missing(source: str) -> Iterator[str]:
    """What `source` imports from the project's own rooms and is not there."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not node.module or not (ROOT / node.module.split(".")[0]).is_dir():
            continue
        place = ROOT.joinpath(*node.module.split("."))
        module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        for each in node.names:
            inner = place / each.name
            if inner.is_dir() or inner.with_suffix(".py").is_file():
                continue
            if not module.is_file() or each.name not in defined(module):
                yield f"{node.module}.{each.name}"


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file: Path) -> None:
    assert list(missing(file.read_text(encoding="utf-8"))) == []


def test_what_moved_would_be_found() -> None:
    assert list(missing("from project.gone import x\nfrom project.names import Nobody")) == [
        "project.gone.x",
        "project.names.Nobody",
    ]
