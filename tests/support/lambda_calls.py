"""The AWS operations in the source of a Lambda function: read from its syntax tree, so that none can be forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore import xform_name
from top_level import definitions

from infra.lambda_packages import ROOT

SERVICES = {  # the function in lambdas/clients.py -> boto3's name of the service
    "s3": "s3",
    "ssm": "ssm",
    "sns": "sns",
    "events": "events",
    "autoscaling": "application-autoscaling",
    "scheduler": "scheduler",
    "cloudwatch": "cloudwatch",
    "sagemaker": "sagemaker",
    "runtime": "sagemaker-runtime",
}
Definition = tuple[str, str]  # module, and a name that it defines at its top level


@cache
def _operations(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def operations(function: str) -> set[tuple[str, str]]:
    """`(service, operation)` of everything that the function in `lambdas/<function>/` calls on a boto3 client.

    Every method of a boto3 client that its code names counts, called there or handed on, and so does every paginator;
    which clients there are follows from what the code takes from lambdas/clients.py.
    """
    nodes = [node for tree in _reached(f"lambdas.{function}.handler") for node in ast.walk(tree)]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    on = {(node.value.id, node.attr) for node in attributes if isinstance(node.value, ast.Name)}
    taken = {SERVICES[name] for owner, name in on if owner == "clients"}
    words = {node.attr for node in attributes}
    words |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found = {(service, word) for service in taken for word in words & _operations(service).keys()}
    names = [word for _, word in found]
    # create_endpoint is known to SageMaker and to EventBridge: then the client's name decides.
    return {(s, _operations(s)[word]) for s, word in found if names.count(word) == 1 or (s, word) in on}


def _reached(start: str) -> Iterator[ast.AST]:
    """Every statement at the top of a module of `lambdas` that running `start` can lead to."""
    seen: set[Definition] = set()
    waiting: list[Definition] = [(start, name) for name in _module(start)]
    while waiting:
        module, name = waiting.pop()
        if (module, name) in seen or module == "lambdas.clients" or name not in _module(module):
            continue
        seen.add((module, name))
        tree = _module(module)[name]
        if isinstance(tree, ast.ImportFrom):
            waiting += [(str(tree.module), alias.name) for alias in tree.names if (alias.asname or alias.name) == name]
            waiting += [(f"{tree.module}.{name}", inner) for inner in _module(f"{tree.module}.{name}")]
            continue
        yield tree
        waiting += [(module, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name)]


@cache
def _module(name: str) -> dict[str, ast.AST]:
    """What a module of `lambdas` has at its top, by the names that this gives; empty for any other module."""
    file = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    return definitions(file) if name.startswith("lambdas.") and file.is_file() else {}
