"""A JSON path is read once, not each time it is followed, and one that can lead to one value only gives that value.

Reading a path takes milliseconds, and paths are the same again. AWS: a path such as `$.Contents[0].Key` is definite, as
in the developer guide's Reference Paths; only paths with wildcards, slices or filters give lists.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jsonpath_ng.jsonpath import Child, Fields, Index, Root
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

from localcloud.stepfunctions.engine.overrides import put


def apply() -> None:
    """Keep what the two readers of paths return, which nobody changes, and follow definite paths."""
    json_path.parse = lru_cache(maxsize=4096)(json_path.parse)
    result_path.parse = lru_cache(maxsize=4096)(result_path.parse)
    original = json_path.extract_json

    def extract(path: str, data: Any) -> Any:
        expression = json_path.parse(path)
        found = expression.find(data) if is_definite(expression) else []
        return found[0].value if len(found) == 1 else original(path, data)

    put("extract_json", original, extract)


def is_definite(expression: Any) -> bool:
    """Whether a path can lead to one value only."""
    if isinstance(expression, Child):
        return is_definite(expression.left) and is_definite(expression.right)
    if isinstance(expression, Fields):
        return len(expression.fields) == 1 and expression.fields[0] != "*"
    if isinstance(expression, Index):
        return len(expression.indices) == 1
    return isinstance(expression, Root)
