"""localcloud imports nothing of the project around it, in no circle, and its tables of contents are true."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import localcloud

ROOT = Path(localcloud.__file__).parent
PROJECT = {"scones", "project", "pipelines", "steps", "lambdas", "stepfunctions", "monitoring", "infra"}


def sources() -> list[Path]:
    """The package's files, without what building its wheel leaves in the folder."""
    return sorted(file for file in ROOT.rglob("*.py") if "build" not in file.relative_to(ROOT).parts)


def imports() -> dict[str, set[str]]:
    """Every module of localcloud, and what it imports, at any depth of the file."""
    found: dict[str, set[str]] = {}
    for file in sources():
        parts = file.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = _imported(file)
    return found


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{file}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_nothing_of_the_project_is_imported() -> None:
    borrowed = {module: names for module, names in imports().items() if {n.partition(".")[0] for n in names} & PROJECT}
    assert not borrowed


def test_no_module_imports_itself_in_a_circle() -> None:
    modules = imports()
    graph = {
        module: {name if name in modules else name.rpartition(".")[0] for name in names} & modules.keys() - {module}
        for module, names in modules.items()
    }
    TopologicalSorter(graph).prepare()  # CycleError names the circle


def test_no_import_is_for_the_type_checker_alone() -> None:
    assert not [file for file in sources() if "TYPE_CHECKING" in file.read_text(encoding="utf-8")]


def test_the_contract_lies_below_everything_else() -> None:
    ours = {
        name for module, names in imports().items() if ".contract" in module for name in names if "localcloud" in name
    }
    assert all(name.startswith("localcloud.contract.") for name in ours), ours


def test_tables_of_contents_name_files_that_are_there() -> None:
    for contents in ROOT.rglob("__init__.py"):
        named = re.findall(r"^([a-z_]+\.py)\b", contents.read_text(encoding="utf-8"), re.MULTILINE)
        assert not [name for name in named if not contents.with_name(name).is_file()], contents


def test_no_two_classes_have_one_name() -> None:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sources()]
    names = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert not {name for name in names if names.count(name) > 1}
