"""What a Condition step decides.

Numbers have an order, and so have times, such as `Execution.StartDateTime` and "2020-12-01" (the SDK's own tests of its
conditions compare these two); a time without a zone is UTC.

All conditions in the step's list must hold. Comparisons follow three-valued logic: one with NaN or infinity is neither
true nor false, so that no bound and no negation turns a metric that could not be computed into a passed gate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.engine.expressions import ExpressionError

ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}
MEMBERS = {
    "Equals": ("LeftValue", "RightValue"),
    **dict.fromkeys(ORDERINGS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
"""What each type of condition takes."""

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?")


def satisfied(conditions: list[dict[str, Any]], resolve: Callable[[Any], Any]) -> bool:
    """Whether every condition holds; `resolve` gives the value of an expression.

    Every value is resolved, also where the outcome is clear before: a missing metric is an error wherever it stands.

    Raises:
        ExpressionError: a value is missing, or two values cannot be ordered.
    """
    truths = [_truth(condition, resolve) for condition in conditions]
    return all(truth is True for truth in truths)


def problems(condition: Any) -> Iterator[str]:
    """What is wrong with the form of a condition."""
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if not isinstance(kind, str) or kind not in MEMBERS:
        yield f"condition type {kind!r} is not one of {', '.join(MEMBERS)}"
        return
    missing = [member for member in MEMBERS[kind] if member not in condition]
    unknown = [member for member in condition if member not in (*MEMBERS[kind], "Type")]
    if missing:
        yield f"condition {kind} lacks {', '.join(missing)}"
    elif unknown:
        yield f"condition {kind} does not take {', '.join(unknown)}"
    elif kind == "Not":
        yield from problems(condition["Condition"])
    elif kind in ("Or", "In") and not isinstance(condition[MEMBERS[kind][-1]], list):
        yield f"{MEMBERS[kind][-1]} of condition {kind} is not a list"
    elif kind == "Or":
        for inner in condition["Conditions"]:
            yield from problems(inner)


def _truth(condition: dict[str, Any], resolve: Callable[[Any], Any]) -> bool | None:
    kind = condition["Type"]
    if kind == "Not":
        inner = _truth(condition["Condition"], resolve)
        return None if inner is None else not inner
    if kind == "Or":
        return _any([_truth(inner, resolve) for inner in condition["Conditions"]])
    if kind == "In":
        wanted = resolve(condition["QueryValue"])
        truths = [_equal(wanted, resolve(value)) for value in condition["Values"]]
        return _any(truths) if isinstance(wanted, str | int | float) else None
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    return _equal(left, right) if kind == "Equals" else _ordered(kind, left, right)


def _any(truths: list[bool | None]) -> bool | None:
    if True in truths:
        return True
    return None if None in truths else False


def _equal(left: Any, right: Any) -> bool | None:
    """Strings equal strings and booleans equal booleans; a number also equals a string that spells it.

    With null, a list or an object there is nothing to compare: neither, so that `Not` opens no gate either.
    """
    if not isinstance(left, str | int | float) or not isinstance(right, str | int | float):
        return None
    if isinstance(left, bool) or isinstance(right, bool):
        return bool(_spelled(left) == _spelled(right))
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    a, b = _number(left), _number(right)
    if a is None or b is None:
        return bool(left == right)
    return a == b if math.isfinite(a) and math.isfinite(b) else None


def _ordered(kind: str, left: Any, right: Any) -> bool | None:
    a, b = _number(left), _number(right)
    if a is None or b is None:
        earlier, later = _seconds(left), _seconds(right)
        if earlier is not None and later is not None:
            return ORDERINGS[kind](earlier, later)
        culprit = left if a is None else right
        raise ExpressionError(f"condition {kind} compares numbers or two times, and {repr(culprit)[:80]} is not one")
    return ORDERINGS[kind](a, b) if math.isfinite(a) and math.isfinite(b) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        try:
            return float(value)
        except OverflowError:  # a whole number beyond the range of a double
            return math.inf
    return None


def _seconds(value: Any) -> float | None:
    """A time since 1970, or a day's beginning."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _spelled(value: Any) -> Any:
    """Booleans and the strings that spell them, alike: parameters arrive as "True", "true", "False" or "false"."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value if isinstance(value, bool) else (value, "is no boolean")
