"""What moto's interpreter lacks or does otherwise than AWS: one behaviour a module.

Each module says what AWS does and how that is known, replaces moto's public or private name for it with `put`, and is
written for moto 5.2.5. A module is deleted when moto does the same.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import Any

MODULES = (
    "activities",
    "catching",
    "clients",
    "context",
    "denied_invocations",
    "distributed",
    "encoding",
    "error_names",
    "items_paths",
    "jobs",
    "jsonata",
    "jsonata_fields",
    "lambda_results",
    "literals",
    "members",
    "paths",
    "progress",
    "sagemaker",
    "scopes",
    "task_errors",
    "threads",
    "variables",
)
"""The modules of this package, each with a function `apply()`."""

_ROOT = "moto.stepfunctions.parser"


@cache
def apply() -> None:
    """Put every override in place, once for the process."""
    importlib.import_module(f"{_ROOT}.backend.execution_worker")
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}").apply()


def put(name: str, old: Any, new: Any) -> None:
    """Replace `old` by `new` under `name` in every module of moto's interpreter that has it."""
    found = [module for path, module in sys.modules.items() if path.startswith(_ROOT) and vars(module).get(name) is old]
    if not found:
        raise RuntimeError(f"moto has no {name} where the override of it was written for")
    for module in found:
        setattr(module, name, new)
