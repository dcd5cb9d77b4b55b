"""The query language of one definition is no other's, and a JSONPath state may be inside a JSONata state.

moto keeps the languages of nested scopes on the class, so that two threads that read definitions, or one after a
definition that was refused, mix them up. AWS: only a machine that is JSONata as a whole refuses JSONPath states
(recorded answers of ValidateStateMachineDefinition); localcloud/stepfunctions/definition.py says so.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguage
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor


def apply() -> None:
    """Give every reader of a definition its own scopes."""
    Preprocessor.__init__ = _begin
    original = Preprocessor._open_query_language_scope

    def open_scope(self: Any, parse_tree: Any) -> None:
        outer, self._query_language_per_scope = self._query_language_per_scope, []
        original(self, parse_tree)  # which, without outer scopes, refuses nothing and falls back to JSONPath
        (own,) = self._query_language_per_scope
        inherited = bool(outer) and not _declares(self, original, parse_tree)
        self._query_language_per_scope = [*outer, outer[-1] if inherited else own]

    Preprocessor._open_query_language_scope = open_scope


def _begin(self: Any) -> None:
    self._query_language_per_scope = []


def _declares(reader: Any, open_scope: Any, parse_tree: Any) -> bool:
    """Whether the scope names its language: then it is the same whatever is around it."""
    probe = Preprocessor()
    marker = QueryLanguage()
    probe._query_language_per_scope = [marker]
    try:
        open_scope(probe, parse_tree)
    except ValueError:
        return True  # it names JSONPath inside JSONata
    return probe._query_language_per_scope[-1] is not marker
