"""The AWS operations that the desk's code can come to call: read from its syntax tree, so that none can be forgotten.

As lambda_calls.py does it for functions, over the rooms that the desk imports. A definition at the top of a module is
followed when something that is followed names it; of a module that is imported whole, what is taken from it counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore import xform_name
from top_level import definitions

from infra.lambda_packages import ROOT

ROOMS = ("scones", "pipelines", "stepfunctions", "monitoring", "project")
START = tuple(f"scones.desk.{name}" for name in ("app", "serve", "__main__"))
Definition = tuple[str, str]  # module, and a name that it defines at its top level


def operations() -> set[str]:
    """`service:Operation` of everything that the desk calls on a boto3 client.

    In a module that makes a service's client every name that is one of the service's operations counts: called, handed
    on, or written out, as paginators and tables of operations are. A name that is put together cannot be read.
    """
    modules: dict[str, list[ast.AST]] = {}
    for module, tree in _reached():
        modules.setdefault(module, []).append(tree)
    return {
        f"{service}:{named}"
        for trees in modules.values()
        for service in _services(trees)
        for name, named in _operations(service).items()
        if name in _words(trees)
    }


def _services(trees: list[ast.AST]) -> set[str]:
    """Whose clients are made: `aws.client("s3")`, `boto3.client("sts")`."""
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    for one in calls:
        put_together = isinstance(one.args[-1], ast.JoinedStr) and isinstance(one.args[0], ast.Call)
        is_read = isinstance(one.func, ast.Name) and one.func.id == "getattr"
        assert not (is_read and put_together), f"which operation is this: {ast.unparse(one)}"
    made = [one.args[0] for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == "client"]
    return {str(one.value) for one in made if isinstance(one, ast.Constant)}


def _words(trees: list[ast.AST]) -> set[str]:
    nodes = [node for tree in trees for node in ast.walk(tree)]
    words = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return words | {str(node.value) for node in nodes if isinstance(node, ast.Constant)}


@cache
def _operations(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def _reached() -> Iterator[tuple[str, ast.AST]]:
    seen: set[Definition] = set()
    waiting = [(module, name) for module in START for name in _module(module)]
    while waiting:
        module, name = waiting.pop()
        if (module, name) in seen or name not in _module(module):
            continue
        seen.add((module, name))
        tree = _module(module)[name]
        if isinstance(tree, ast.ImportFrom):  # what is taken from a module is followed where it is taken
            waiting += [(str(tree.module), one.name) for one in tree.names if (one.asname or one.name) == name]
            continue
        yield module, tree
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                waiting.append((module, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                waiting += [(whole, node.attr) for whole in _whole(module, node.value.id)]


def _whole(module: str, name: str) -> list[str]:
    """The module that `name` stands for in `module`, if it is one."""
    tree = _module(module).get(name)
    if not isinstance(tree, ast.ImportFrom):
        return []
    return [f"{tree.module}.{one.name}" for one in tree.names if (one.asname or one.name) == name]


@cache
def _module(name: str) -> dict[str, ast.AST]:
    """What a module of ours has at its top, by the names that this gives; empty for any other module."""
    place = ROOT.joinpath(*name.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if name.partition(".")[0] not in ROOMS or not file.is_file():
        return {}
    found = definitions(file)
    if name in START:  # what runs when it is loaded
        body = ast.parse(file.read_text(encoding="utf-8")).body
        found |= {f"statement {n}": node for n, node in enumerate(body) if isinstance(node, ast.If | ast.Expr)}
    return found
