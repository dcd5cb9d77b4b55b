"""A JSON path is read once, not each time it is followed: reading takes milliseconds, and paths are the same again."""

from __future__ import annotations

from functools import lru_cache

from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path


def apply() -> None:
    """Keep what the two readers of paths return, which nobody changes."""
    json_path.parse = lru_cache(maxsize=4096)(json_path.parse)
    result_path.parse = lru_cache(maxsize=4096)(result_path.parse)
