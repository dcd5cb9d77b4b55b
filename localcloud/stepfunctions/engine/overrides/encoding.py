"""Values become JSON text with their characters as they are, not as \\u escapes.

AWS: sizes (the 262,144 bytes of a state's output) and histories are in UTF-8.
"""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.utils import encoding

from localcloud.stepfunctions.engine.overrides import put


def to_json_str(obj: Any, separators: tuple[str, str] | None = None) -> str:
    """`obj` as JSON text; times in ISO 8601, what JSON cannot hold as Python prints it."""
    return json.dumps(obj, cls=encoding._DateTimeEncoder, separators=separators or (",", ":"), ensure_ascii=False)


def apply() -> None:
    """Replace moto's encoder."""
    put("to_json_str", encoding.to_json_str, to_json_str)
