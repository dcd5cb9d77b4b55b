"""JSONata is evaluated: moto's is a stub that expects a Java machine.

AWS: the developer guide, "Transforming data with JSONata in Step Functions", for what `$states` and the functions
beyond JSONata's own are; recorded answers for the texts of the errors. Values are bound, not written into the
expression, so that no text in them can change what it says. A result that is missing, or is no JSON value, ends the
state with States.QueryEvaluationError and an EvaluationFailed event that names the field.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.utils import Utils
from moto.stepfunctions.parser.asl.component.common.string import string_expression

from localcloud.stepfunctions.engine.overrides.evaluation import failure

_INNER = ("States", "Branches", "ItemProcessor", "Iterator")
"""Fields that hold states of their own, whose expressions are not this state's."""


def apply() -> None:
    """Replace what evaluates expressions and variables."""
    string_expression.StringJSONata._eval_body = _evaluate_expression
    string_expression.StringVariableSample._eval_body = _evaluate_variable


def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """The value of a JSONata expression, in which `$name` is `bindings["name"]`.

    Returns:
        a JSON value.

    Raises:
        LookupError: the expression returned nothing.
        TypeError: it returned a function or a pattern.
        JException, ValueError: it failed.
    """
    compiled = Jsonata(expression)
    compiled.output_convert_nulls = False  # a JSON null is a value, and nothing is none
    for name, function in FUNCTIONS.items():
        compiled.register_lambda(name, function)
    found = compiled.evaluate(None, {name: _with_nulls(value) for name, value in bindings.items()})
    if found is None:
        raise LookupError(expression)
    return _plain(found)


def _evaluate_expression(self: Any, env: Any) -> None:
    bindings = {"states": _states(env), **_variables(env)}
    where = location(env.event_manager.definition, env.next_state_name, self.expression)
    field = f" specified for the field '{where}'" if where else ""
    try:
        env.stack.append(evaluate(self.expression, bindings))
    except LookupError:
        problem = f"{field} returned nothing (undefined)."
    except TypeError:
        problem = f"{field} returned an unsupported result type."
    except (JException, ValueError, ArithmeticError, RecursionError) as error:
        code = f"{error.error}: " if isinstance(error, JException) else ""
        problem = f"{field} threw an error during evaluation. {code}{error}"
    else:
        return
    raise failure(env, f"The JSONata expression '{self.expression}'{problem}", where)


def _evaluate_variable(self: Any, env: Any) -> None:
    """A variable of a JSONPath state (`$name.member`), which moto reads with JSONata as well."""
    bindings = _variables(env)
    if self.query_language_mode == string_expression.QueryLanguageMode.JSONata:
        bindings["states"] = _states(env)
    try:
        env.stack.append(evaluate(self.expression, bindings))
    except LookupError:
        env.stack.append(None)


def _states(env: Any) -> dict[str, Any]:
    data = env.states._states_data
    failed = data.get("errorOutput") is not None  # then there is no result, in whose place moto has the error as well
    return {
        name: value
        for name, value in data.items()
        if name == "input" or (value is not None and not (failed and name == "result"))
    }


def _variables(env: Any) -> dict[str, Any]:
    store = env.variable_store
    return {**store._outer_scope, **store._inner_scope}


def location(definition: str, state: str, expression: str) -> str:
    """The field of a state that holds the expression, as `Arguments/Payload`; "" when it is not found."""
    for found in _states_named(json.loads(definition), state):
        for path, text in _texts(found, ""):
            if text.strip().removeprefix("{%").removesuffix("%}").strip() == expression.strip():
                return path
    return ""


def _states_named(value: Any, name: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        states = value.get("States")
        if isinstance(states, dict) and isinstance(states.get(name), dict):
            yield states[name]
        if "Type" in value and "States" not in value and "StartAt" not in value:
            yield value  # a state that is tested by itself
        for inner in value.values():
            yield from _states_named(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _states_named(inner, name)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _INNER:
                yield from _texts(inner, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")


def _with_nulls(value: Any) -> Any:
    """`value` as the library wants it: its own null, because None means that nothing is there."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _with_nulls(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_nulls(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """A result of the library as a JSON value."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, range)) or type(value).__name__ == "RangeList":
        return [_plain(item) for item in value]
    raise TypeError(type(value).__name__)


def _partition(array: Any, size: float) -> list[Any]:
    items, step = list(array if isinstance(array, list) else [array]), int(size)
    if step <= 0:
        raise ValueError("the chunk size of $partition must be greater than zero")
    return [items[at : at + step] for at in range(0, len(items), step)]


def _range(first: float, last: float, step: float) -> list[float]:
    if step == 0:
        raise ValueError("the step of $range must not be zero")
    count = int((last - first) / step) + 1
    return [first + index * step for index in range(max(0, count))]


def _hash(text: str, algorithm: str) -> str:
    name = algorithm.replace("-", "").lower()
    if name not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        raise ValueError(f"$hash has no algorithm {algorithm}")
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311 - not for secrets


FUNCTIONS: dict[str, Any] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": lambda text: _with_nulls(json.loads(text)),
}
"""What Step Functions adds to JSONata (developer guide, "Functions provided by Step Functions")."""
