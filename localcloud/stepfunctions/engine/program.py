"""A definition as something that can be run."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from antlr4 import ParserRuleContext
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor


@lru_cache(maxsize=256)
def syntax_tree(definition: str) -> ParserRuleContext:
    """The syntax tree of a definition, which is most of the work and the same for every execution.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    # Written anew, characters beyond 16 bits are one and not two.
    written = json.dumps(json.loads(definition, object_hook=_with_fractions), ensure_ascii=False)
    return AmazonStateLanguageParser.parse(written)[1]


def _with_fractions(fields: dict[str, Any]) -> dict[str, Any]:
    """A percentage as moto's grammar wants it: AWS takes 20 as well as 20.0."""
    percentage = fields.get("ToleratedFailurePercentage")
    if isinstance(percentage, int) and not isinstance(percentage, bool):
        return {**fields, "ToleratedFailurePercentage": float(percentage)}
    return fields


def program(definition: str) -> Any:
    """A program of moto's interpreter; it holds the state of one execution, so each needs its own.

    Raises:
        ASLParserException, ValueError: it is not the Amazon States Language.
    """
    return Preprocessor().visit(syntax_tree(definition))
