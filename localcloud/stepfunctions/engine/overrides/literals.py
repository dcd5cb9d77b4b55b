"""A text in Assign means what it says: its JSON escapes are read, as everywhere else in a definition.

AWS: recorded answers (`"Assign": {"var": "\\""}` is one quotation mark).
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.antlt4utils.antlr4utils import from_string_literal
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor


def apply() -> None:
    """Replace how Preprocessor reads such a text."""
    Preprocessor.visitAssign_template_value_terminal_string_literal = _read


def _read(self: Any, ctx: Any) -> Any:
    return AssignTemplateValueTerminalLit(value=from_string_literal(ctx.string_literal()))
