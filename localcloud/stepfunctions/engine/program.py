"""A definition as something that can be run."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any

from antlr4 import ParserRuleContext
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

_READING = threading.Lock()
"""ANTLR's readers share tables that they write."""


@lru_cache(maxsize=256)
def program(definition: str) -> Any:
    """The program of a definition, shared by all executions of it: what they change is in their environments.

    Reading a definition takes longer than most executions.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    return read(definition)[0]


def read(definition: str) -> tuple[Any, ParserRuleContext]:
    """A program of its own, and the syntax tree.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    # Written anew, characters beyond 16 bits are one and not two.
    written = json.dumps(json.loads(definition, object_hook=_with_fractions), ensure_ascii=False)
    with _READING:
        found, tree = AmazonStateLanguageParser.parse(written)
    return found, tree


def _with_fractions(fields: dict[str, Any]) -> dict[str, Any]:
    """A percentage as moto's grammar wants it: AWS takes 20 as well as 20.0."""
    percentage = fields.get("ToleratedFailurePercentage")
    if isinstance(percentage, int) and not isinstance(percentage, bool):
        return {**fields, "ToleratedFailurePercentage": float(percentage)}
    return fields
