from __future__ import annotations

import math
from typing import Any

import pytest

from localcloud.sagemaker.engine.conditions import problems, satisfied
from localcloud.sagemaker.engine.expressions import ExpressionError


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def holds(*conditions: dict[str, Any]) -> bool:
    return satisfied(list(conditions), lambda value: value)


NAN = compare("GreaterThan", math.nan, 0.5)
TRUE = compare("Equals", 1, 1)
FALSE = compare("Equals", 1, 2)


@pytest.mark.parametrize(
    ("kind", "below", "equal", "above"),
    [
        ("GreaterThan", False, False, True),
        ("GreaterThanOrEqualTo", False, True, True),
        ("LessThan", True, False, False),
        ("LessThanOrEqualTo", True, True, False),
        ("Equals", False, True, False),
    ],
)
def test_comparisons_on_both_sides_of_the_threshold_and_on_it(kind: str, below: bool, equal: bool, above: bool) -> None:
    assert [holds(compare(kind, left, 0.8)) for left in (0.79, 0.8, 0.81)] == [below, equal, above]


def test_numbers_may_be_spelled_as_strings() -> None:
    assert holds(compare("GreaterThan", "0.91", 0.9), compare("Equals", "1e-1", 0.1), compare("LessThan", "2", "10"))


def test_times_have_an_order_whatever_their_zone() -> None:
    started = "2026-11-29T02:15:39.918Z"
    assert holds(compare("GreaterThan", started, "2020-12-01"), compare("LessThan", "2020-12-01", started))
    assert holds(compare("LessThanOrEqualTo", started, "2026-11-29T03:15:39.918+01:00"))
    assert not holds(compare("LessThan", started, "2026-11-29T02:15:39.918"))
    for no_time in ("2026-13-01", "tomorrow", 5):
        with pytest.raises(ExpressionError, match="is not one"):
            holds(compare("LessThan", started, no_time))


def test_strings_equal_strings_only_as_they_are_written() -> None:
    assert holds(compare("Equals", "a", "a"))
    assert not holds(compare("Equals", "1.0", "1"))
    assert not holds(compare("Equals", "a", 1))


def test_booleans_equal_booleans_and_their_spelling_but_no_numbers() -> None:
    assert holds(compare("Equals", True, True), compare("Equals", "True", True), compare("Equals", False, "false"))
    assert not holds(compare("Equals", True, 1))
    assert not holds(compare("Equals", "yes", True))


@pytest.mark.parametrize("left", ["high", True, None, [1]])
def test_what_is_no_number_cannot_be_ordered(left: object) -> None:
    with pytest.raises(ExpressionError, match="is not one"):
        holds(compare("GreaterThan", left, 0.5))


@pytest.mark.parametrize("kind", ["GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo", "Equals"])
@pytest.mark.parametrize("value", [math.nan, "nan", "NaN", math.inf, -math.inf, "inf", "1e999"])
def test_what_is_not_finite_satisfies_no_comparison_and_no_negation_of_one(kind: str, value: object) -> None:
    condition = compare(kind, value, 0.5)
    assert not holds(condition)
    assert not holds({"Type": "Not", "Condition": condition})
    assert not holds({"Type": "Not", "Condition": {"Type": "Or", "Conditions": [condition, FALSE]}})


@pytest.mark.parametrize("nothing", [None, [], [0], {}, {"value": 0}])
def test_where_there_is_nothing_to_compare_no_comparison_and_no_negation_holds(nothing: object) -> None:
    for condition in (
        compare("Equals", nothing, 0),
        compare("Equals", 0, nothing),
        compare("Equals", nothing, nothing),
        {"Type": "In", "QueryValue": nothing, "Values": [0, nothing]},
        {"Type": "In", "QueryValue": nothing, "Values": []},
    ):
        assert not holds(condition)
        assert not holds({"Type": "Not", "Condition": condition})


def test_numbers_beyond_a_double_are_compared_like_infinity() -> None:
    for condition in (compare("Equals", 10**400, 1), compare("GreaterThan", 10**400, 1)):
        assert not holds(condition)
        assert not holds({"Type": "Not", "Condition": condition})


def test_or_needs_one_and_the_list_needs_all() -> None:
    assert holds({"Type": "Or", "Conditions": [FALSE, NAN, TRUE]})
    assert not holds({"Type": "Or", "Conditions": [FALSE, NAN]})
    assert not holds({"Type": "Or", "Conditions": []})
    assert holds(TRUE, TRUE)
    assert not holds(TRUE, FALSE)


def test_in_looks_for_an_equal_value() -> None:
    assert holds({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]})
    assert not holds({"Type": "In", "QueryValue": "c", "Values": ["a", "b"]})
    assert holds({"Type": "Not", "Condition": {"Type": "In", "QueryValue": "c", "Values": []}})


def test_a_missing_value_is_an_error_even_where_the_outcome_is_clear() -> None:
    def resolve(value: Any) -> Any:
        if value == "missing":
            raise ExpressionError("nothing there")
        return value

    with pytest.raises(ExpressionError):
        satisfied([FALSE, compare("Equals", "missing", 1)], resolve)


@pytest.mark.parametrize(
    "condition",
    [
        "x",
        {"Type": "And", "Conditions": []},
        {"Type": "Equals", "LeftValue": 1},
        {"Type": "Equals", "LeftValue": 1, "RightValue": 1, "Extra": 1},
        {"Type": "In", "QueryValue": 1, "Values": 1},
        {"Type": "Not", "Condition": {"Type": "Expression"}},
        {"Type": "Or", "Conditions": [TRUE, {"Type": "Sometimes"}]},
    ],
)
def test_malformed_conditions_have_problems(condition: object) -> None:
    assert list(problems(condition))


def test_a_good_condition_has_no_problems() -> None:
    assert not list(problems({"Type": "Or", "Conditions": [{"Type": "Not", "Condition": TRUE}]}))


@pytest.mark.parametrize("kind", ["GreaterThan", "LessThan", "Equals"])
def test_a_whole_number_beyond_a_double_passes_no_gate(kind: str) -> None:
    assert not holds(compare(kind, 10**400, 1))
    assert not holds({"Type": "Not", "Condition": compare(kind, 1, -(10**400))})
