"""What a JSONata state takes that is of the wrong kind ends with States.QueryEvaluationError, in AWS's words.

AWS: recorded answers for the input of a Map state without Items, and for the Timestamp of a Wait state.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp

from localcloud.stepfunctions.engine.overrides.encoding import to_json_str
from localcloud.stepfunctions.engine.overrides.evaluation import failure


def apply() -> None:
    """Look at the values before moto does."""
    _check_map_input()
    _check_timestamps()


def _check_map_input() -> None:
    original = StateMap._eval_execution

    def eval_execution(self: Any, env: Any) -> None:
        jsonata = self.query_language.query_language_mode == QueryLanguageMode.JSONata
        given = env.states.get_input()
        if jsonata and not (self.items or self.item_reader or isinstance(given, list)):
            raise failure(env, f"Map state input must be an array but was: {to_json_str(given)}")
        original(self, env)

    StateMap._eval_execution = eval_execution


def _check_timestamps() -> None:
    original = Timestamp._create_failure_event

    def failure_event(self: Any, env: Any, timestamp_str: str) -> Any:
        if isinstance(self.string, StringJSONata):
            problem = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"
            return failure(env, f"{problem}: {timestamp_str}", "Timestamp").failure_event
        return original(self, env, timestamp_str)

    Timestamp._create_failure_event = failure_event
