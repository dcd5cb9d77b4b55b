"""What a module has at its top, read from its syntax tree: for tests that follow which code calls which."""

from __future__ import annotations

import ast
from pathlib import Path


def definitions(file: Path) -> dict[str, ast.AST]:
    """Imports, functions, classes and assigned names of a module, by the names that it gives them."""
    found: dict[str, ast.AST] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found
