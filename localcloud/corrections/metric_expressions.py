"""CloudWatch's metric math: an expression over time series, read with Python's own parser and never run as Python.

Syntax and functions are those of the user guide's 'Using metric math'. A value is a number, a time series (one number
for each period, None where there is none) or an array of series.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Series = list[float | None]


@dataclass(frozen=True)
class SeriesArray:
    """An array of time series: `[m1, m2]`, or METRICS()."""

    series: list[Series]


Result = float | Series | SeriesArray

MOST_CHARACTERS = 2048
"""Of an expression; botocore's model of PutMetricAlarm."""
MOST_DEPTH = 100
"""Parts within parts; people write a few."""
_WORDS = {"&&": " and ", "||": " or ", "AND": "and", "OR": "or", "^": "**"}
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|&&|\|\||\^|[A-Za-z_][A-Za-z0-9_]*")


class MetricMathError(ValueError):
    """An expression that CloudWatch, or the local one, does not know."""


@dataclass(frozen=True)
class Sight:
    """What an expression sees.

    Attributes:
        series: of an Id; raises MetricMathError for one that is not there.
        metrics: the Ids that are metrics, which METRICS() returns.
        period: seconds between two values of a series.
        length: the number of values in a series.
    """

    series: Callable[[str], Result]
    metrics: Sequence[str]
    period: float
    length: int


def evaluated(expression: str, sight: Sight) -> Result:
    """The value of an expression.

    Raises:
        MetricMathError: it cannot be read, or uses what is not there.
    """
    try:
        if len(expression) > MOST_CHARACTERS:
            raise MetricMathError(f"has more than {MOST_CHARACTERS} characters")
        words = _TOKEN.sub(lambda match: _WORDS.get(match.group(), match.group()), expression)
        return _Evaluation(sight).value(ast.parse(words.strip(), mode="eval").body)
    except MetricMathError as error:
        raise MetricMathError(f"The expression {expression!r} {error}.") from None
    except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError):
        raise MetricMathError(f"The expression {expression!r} cannot be read.") from None


def _number(function: Callable[..., float], *values: float | None) -> float | None:
    """The function's value; None where a value is missing or there is no such number, as for a division by zero."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    try:
        found = float(function(*known))
    except (ArithmeticError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _each(function: Callable[..., float], *values: Result) -> Result:
    """The function for every period of every series."""
    arrays = [value.series for value in values if isinstance(value, SeriesArray)]
    if arrays:
        many = max(map(len, arrays))
        if any(len(array) not in (1, many) for array in arrays):
            raise MetricMathError("combines arrays of different lengths")
        rows = ([_nth(value, index) for value in values] for index in range(many))
        return SeriesArray([_series_of(_each(function, *row)) for row in rows])
    lengths = [len(value) for value in values if isinstance(value, list)]
    if not lengths:
        found = _number(function, *(value for value in values if isinstance(value, float)))
        if found is None:
            raise MetricMathError("has a part that is no number, such as a division by zero")
        return found
    columns = [_series_of(value, lengths[0]) for value in values]
    return [_number(function, *row) for row in zip(*columns, strict=True)]


def _nth(value: Result, index: int) -> Result:
    return value.series[min(index, len(value.series) - 1)] if isinstance(value, SeriesArray) else value


def _series_of(value: Result, length: int = 0) -> Series:
    """A series as it is, or a number for as many periods."""
    if isinstance(value, SeriesArray):
        raise MetricMathError("has an array where one time series belongs")
    return value if isinstance(value, list) else [value] * length


_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.And: lambda one, other: bool(one and other),
    ast.Or: lambda one, other: bool(one or other),
}
_SINGLE: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
}
_SUMMARIES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "MAX": max,
    "MIN": min,
    "STDDEV": statistics.pstdev,
    "SUM": math.fsum,
}


class _Evaluation:
    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._depth = 0

    def value(self, node: ast.expr) -> Result:
        """What a part of the expression gives."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise MetricMathError("is nested too deeply")
        found = self._value(node)
        self._depth -= 1
        return found

    def _value(self, node: ast.expr) -> Result:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name():
                return self._sight.series(node.id)
            case ast.List(elts=parts):
                return SeriesArray([series for part in parts for series in self._series(part)])
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return _each(operator.neg, self.value(inner))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.value(inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _each(_OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _each(_OPERATORS[type(op)], self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=parts):
                found = self.value(parts[0])
                for part in parts[1:]:
                    found = _each(_OPERATORS[type(op)], found, self.value(part))
                return found
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.upper(), arguments)
        raise MetricMathError(f"has {ast.unparse(node)!r}, which is no metric math")

    def _series(self, node: ast.expr) -> list[Series]:
        found = self.value(node)
        if isinstance(found, float):
            raise MetricMathError("has a number where a time series belongs")
        return found.series if isinstance(found, SeriesArray) else [found]

    def _mapped(self, function: Callable[[Series], Series], node: ast.expr) -> Result:
        """The function for each series of what the node gives."""
        found = [function(series) for series in self._series(node)]
        return SeriesArray(found) if isinstance(self.value(node), SeriesArray) else found[0]

    def _call(self, name: str, arguments: list[ast.expr]) -> Result:
        if name == "METRICS":
            return self._metrics(arguments)
        if name in ("IF", "FILL"):
            allowed = (2, 3) if name == "IF" else (2,)
            if len(arguments) not in allowed:
                raise MetricMathError(f"gives {name} {len(arguments)} arguments")
            return self._if(arguments) if name == "IF" else self._fill(*arguments)
        if len(arguments) != 1:
            raise MetricMathError(f"uses {name} with {len(arguments)} arguments, which the local cloud does not know")
        if name in _SINGLE:
            return _each(_SINGLE[name], self.value(arguments[0]))
        if name in _SUMMARIES:
            return self._summary(name, self.value(arguments[0]))
        if name == "METRIC_COUNT":
            return float(len(self._series(arguments[0])))
        if name == "PERIOD":
            return self._sight.period
        along: dict[str, Callable[[Series], Series]] = {"DIFF": _diff, "RATE": self._rate, "RUNNING_SUM": _running_sum}
        if name not in along:
            raise MetricMathError(f"uses {name}, which the local cloud does not know")
        return self._mapped(along[name], arguments[0])

    def _metrics(self, arguments: list[ast.expr]) -> SeriesArray:
        match arguments:
            case []:
                part = ""
            case [ast.Constant(value=str() as part)]:
                pass
            case _:
                raise MetricMathError("gives METRICS something else than one text")
        found = [_series_of(self._sight.series(one)) for one in self._sight.metrics if part in one]
        if not found:
            raise MetricMathError("uses METRICS() where there are none")
        return SeriesArray(found)

    def _summary(self, name: str, value: Result) -> Result:
        """Of a series a number; of an array a series, for which a missing value counts as 0 in sums and averages."""
        function = _SUMMARIES[name]
        if isinstance(value, float):
            raise MetricMathError(f"gives {name} a number")
        if isinstance(value, list):
            known = [one for one in value if one is not None]
            if known:
                return function(known)
            return self._nothing()
        found: Series = []
        for column in zip(*value.series, strict=True):
            known = [one for one in column if one is not None]
            if known and name in ("AVG", "SUM"):
                known += [0.0] * (len(column) - len(known))
            found.append(function(known) if known else None)
        return found

    def _nothing(self) -> Series:
        return [None for _ in range(self._sight.length)]

    def _if(self, arguments: list[ast.expr]) -> Result:
        condition, then = self.value(arguments[0]), self.value(arguments[1])
        other = self.value(arguments[2]) if len(arguments) > 2 else self._nothing()
        if isinstance(condition, float):
            return then if condition else other
        yes, no = (_series_of(value, self._sight.length) for value in (then, other))
        return [
            None if holds is None else one if holds else two
            for holds, one, two in zip(_series_of(condition), yes, no, strict=True)
        ]

    def _fill(self, metric: ast.expr, filling: ast.expr) -> Result:
        if isinstance(filling, ast.Name) and filling.id in ("REPEAT", "LINEAR"):
            return self._mapped(_repeated if filling.id == "REPEAT" else _linear, metric)
        spare = _series_of(self.value(filling), self._sight.length)
        return self._mapped(
            lambda series: [two if one is None else one for one, two in zip(series, spare, strict=True)], metric
        )

    def _rate(self, series: Series) -> Series:
        """The difference to the last value that is there, a second."""
        found: Series = []
        last: tuple[int, float] | None = None
        for index, one in enumerate(series):
            rate = None
            if one is not None and last is not None:
                rate = (one - last[1]) / ((index - last[0]) * self._sight.period)
            found.append(rate)
            last = (index, one) if one is not None else last
        return found


def _diff(series: Series) -> Series:
    found: Series = []
    last: float | None = None
    for one in series:
        found.append(None if one is None or last is None else one - last)
        last = last if one is None else one
    return found


def _running_sum(series: Series) -> Series:
    total = 0.0
    found: Series = []
    for one in series:
        total += one or 0.0
        found.append(None if one is None else total)
    return found


def _repeated(series: Series) -> Series:
    found: Series = []
    for one in series:
        found.append(found[-1] if one is None and found else one)
    return found


def _linear(series: Series) -> Series:
    known = [index for index, one in enumerate(series) if one is not None]
    found = list(series)
    for before, after in itertools.pairwise(known):
        first, step = series[before] or 0.0, ((series[after] or 0.0) - (series[before] or 0.0)) / (after - before)
        for index in range(before + 1, after):
            found[index] = first + step * (index - before)
    return found
