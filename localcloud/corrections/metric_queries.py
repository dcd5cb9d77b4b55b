"""The queries of GetMetricData and of alarms on metric math: each Id's values in the periods that are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ministack.services import cloudwatch

from localcloud.corrections.metric_expressions import MetricMathError, Result, Series, Sight, evaluated

Query = dict[str, Any]
Reader = Callable[[dict[str, Any], Sequence[float], float], Series]
"""(a MetricStat, when its periods begin, how long they are) to its values."""


def points(metric: dict[str, Any]) -> list[dict[str, Any]]:
    """The stored data of exactly this metric: its namespace, name and dimensions."""
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or []}
    key = (metric.get("Namespace"), metric.get("MetricName"), cloudwatch._dims_key(dimensions))
    return cloudwatch._metrics.get(key) or []


def series(found: Sequence[dict[str, Any]], statistic: str, starts: Sequence[float], period: float) -> Series:
    """The statistic of these points in each of the periods, which begin then and follow one another."""
    inside: dict[int, list[dict[str, Any]]] = {}
    for point in found:
        inside.setdefault(math.floor((point["Timestamp"] - starts[0]) / period), []).append(point)
    values: Series = [None] * len(starts)
    for index, here in inside.items():
        if 0 <= index < len(starts):
            values[index] = cloudwatch._stat_value(cloudwatch._calc_stats(here), statistic, here)
    return values


def metric_series(stat: dict[str, Any], starts: Sequence[float], period: float) -> Series:
    """The values of a MetricStat, in its unit if it names one."""
    return series(unit_points(stat), stat["Stat"], starts, period)


def unit_points(stat: dict[str, Any]) -> list[dict[str, Any]]:
    """The stored data of a MetricStat's metric, in its unit if it names one."""
    unit = stat.get("Unit")
    return [point for point in points(stat["Metric"]) if not unit or point.get("Unit") == unit]


def periods(queries: Sequence[Query]) -> list[int]:
    """The periods, in seconds, of those that are metrics or name one."""
    named = [query.get("Period") or (query.get("MetricStat") or {}).get("Period") for query in queries]
    return [int(period) for period in named if period]


def values(
    queries: Sequence[Query], wanted: str, starts: Sequence[float], period: float, read: Reader = metric_series
) -> Result:
    """The value of the query with this Id; `read` gives the values of metrics.

    Raises:
        MetricMathError: an expression of it cannot be evaluated, or waits for itself.
    """
    by_id = {str(query["Id"]): query for query in queries}
    metrics = [name for name, query in by_id.items() if query.get("MetricStat")]
    found: dict[str, Result] = {}
    waiting: list[str] = []

    def value(name: str) -> Result:
        if name not in by_id:
            raise MetricMathError(f"names {name!r}, which is no Id of the request")
        if name in waiting:
            raise MetricMathError(f"waits for itself: {' -> '.join([*waiting, name])}")
        if name not in found:
            waiting.append(name)
            query = by_id[name]
            if query.get("MetricStat"):
                found[name] = read(query["MetricStat"], starts, period)
            else:
                found[name] = evaluated(str(query.get("Expression") or ""), sight)
            waiting.pop()
        return found[name]

    sight = Sight(value, metrics, period, len(starts))
    return value(wanted)


def returned(queries: Sequence[Query]) -> Query:
    """The one query whose values an alarm looks at.

    Raises:
        MetricMathError: there is none, or more than one.
    """
    chosen = [query for query in queries if query.get("ReturnData", True)]
    if len(chosen) != 1:
        raise MetricMathError(f"Exactly one element of the metrics list should return data, and {len(chosen)} do.")
    return chosen[0]


def check_for_alarm(queries: Sequence[Query]) -> None:
    """Refuse what no alarm can look at.

    Raises:
        MetricMathError: it says why.
    """
    names = [query.get("Id") for query in queries]
    if len(set(names)) < len(names):
        raise MetricMathError("Two elements of the metrics list have one Id.")
    for query in queries:
        if bool(query.get("MetricStat")) == bool(query.get("Expression")):
            raise MetricMathError(f"The element {query.get('Id')!r} needs either MetricStat or Expression.")
    chosen = returned(queries)
    if not periods(queries):
        raise MetricMathError("Period must not be null.")
    if not isinstance(values(queries, chosen["Id"], [0.0, 60.0], 60.0, lambda *_: [1.0, 1.0]), list):
        raise MetricMathError(f"The element {chosen['Id']!r} does not give one time series, which an alarm needs.")
