"""Metric math as the user guide's table of functions has it, and nothing but metric math."""

from __future__ import annotations

import pytest

from localcloud.corrections.metric_expressions import MetricMathError, Result, SeriesArray, Sight, evaluated

METRICS: dict[str, Result] = {"m1": [2.0, None, 6.0], "errors": [1.0, 0.0, None], "requests": [4.0, 0.0, 10.0]}


def value(expression: str) -> Result:
    def series(name: str) -> Result:
        if name not in METRICS:
            raise MetricMathError(f"names {name!r}")
        return METRICS[name]

    return evaluated(expression, Sight(series, list(METRICS), 60.0, 3))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", [2.0, None, 6.0]),
        ("100 * errors / requests", [25.0, None, None]),
        ("100*(errors/(errors+requests))", [20.0, None, None]),
        ("-m1^2 + 1", [-3.0, None, -35.0]),
        ("SUM([errors, requests])", [5.0, 0.0, 10.0]),
        ("AVG([errors, requests])", [2.5, 0.0, 5.0]),
        ("MAX([m1, requests])", [4.0, 0.0, 10.0]),
        ("MIN(METRICS())", [1.0, 0.0, 6.0]),
        ('SUM(METRICS("r"))', [5.0, 0.0, 10.0]),
        ("SUM(requests)", 14.0),
        ("requests / MAX(requests)", [0.4, 0.0, 1.0]),
        ("FILL(m1, 0)", [2.0, 0.0, 6.0]),
        ("FILL(m1, REPEAT)", [2.0, 2.0, 6.0]),
        ("FILL(m1, LINEAR)", [2.0, 4.0, 6.0]),
        ("SUM(FILL(METRICS(), 1))", [7.0, 1.0, 17.0]),
        ("IF(requests > 3, errors)", [1.0, None, None]),
        ("IF(requests>=4 && errors==1, 1, 0)", [1.0, 0.0, None]),
        ("IF(requests > 5 OR requests == 0, requests, 9)", [9.0, 0.0, 10.0]),
        ("RATE(m1)", [None, None, 4.0 / 120]),
        ("DIFF(requests)", [None, -4.0, 10.0]),
        ("RUNNING_SUM(requests)", [4.0, 4.0, 14.0]),
        ("requests / PERIOD(requests)", [4.0 / 60, 0.0, 10.0 / 60]),
        ("CEIL(errors / 3)", [1.0, 0.0, None]),
        ("METRIC_COUNT(METRICS())", 3.0),
        ("sum([errors, requests])", [5.0, 0.0, 10.0]),
    ],
)
def test_an_expression_has_the_value_of_the_user_guide(expression: str, expected: object) -> None:
    assert value(expression) == pytest.approx(expected)


def test_an_array_gives_an_array() -> None:
    assert value("FILL([m1, errors], 0) * 2") == SeriesArray([[4.0, 0.0, 12.0], [2.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("m1 +", "cannot be read"),
        ("", "cannot be read"),
        ("m9", "names 'm9'"),
        ("(" * 900 + "m1" + ")" * 900, "cannot be read"),
        ("-" * 2000 + "m1", "cannot be read|nested too deeply"),
        ("m1 * " + "9" * 1000, "cannot be read"),
        ("1 + " * 600 + "1", "more than 2048"),
        ("m1 / 0 + 1 / 0", "division by zero"),
        ("__import__('os').system('true')", "no metric math"),
        ("m1.__class__", "no metric math"),
        ("[m1 for m1 in METRICS()]", "no metric math"),
        ("lambda: m1", "no metric math"),
        ("'text'", "no metric math"),
        ("True", "no metric math"),
        ("SUM(m1, 2)", "uses SUM with 2 arguments"),
        ("IF(m1)", "gives IF 1 arguments"),
        ("SEARCH('x', 'Sum', 60)", "local cloud does not know"),
        ("MEDIAN(m1)", "uses MEDIAN, which the local cloud does not know"),
        ("FILL(3, 0)", "a number where a time series belongs"),
        ("IF(METRICS(), 1)", "an array where one time series belongs"),
    ],
)
def test_anything_else_is_refused(expression: str, message: str) -> None:
    with pytest.raises(MetricMathError, match=message):
        value(expression)
