"""Metric math: alarms on expressions, and GetMetricData with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from localcloud.corrections import metric_queries, seam
from localcloud.corrections.metric_expressions import MetricMathError, SeriesArray

BEHAVIOUR = (
    "An alarm looks at the one element of Metrics that returns data, an expression or a metric; GetMetricData "
    "evaluates expressions and answers with the newest value first, unless ScanBy says otherwise."
)
EVIDENCE = (
    "CloudWatch user guide, 'Using metric math'; API reference of PutMetricAlarm and GetMetricData (Metrics, "
    "ReturnData, Period, ScanBy); CloudFormation's AWS::CloudWatch::Alarm, Metrics."
)
MINISTACK = "1.5.33"

OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
"""What an alarm on Metrics has not: PutMetricAlarm takes the one or the other."""
MOST_VALUES = 100_800
"""Of one answer of GetMetricData; API reference, MaxDatapoints."""

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any], dict[str, Any], bool, bool], Answer]


def _put_alarm(original: Handler) -> Handler:
    def put(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:
        if not data.get("Metrics"):
            return original(params, data, is_cbor, is_json)
        try:
            mixed = [name for name in OF_ONE_METRIC if data.get(name)]
            if mixed:
                raise MetricMathError(f"The parameters Metrics and {', '.join(mixed)} are mutually exclusive.")
            metric_queries.check_for_alarm(data["Metrics"])
        except MetricMathError as error:
            return _refusal(error, is_cbor, is_json)
        answer = original(params, data, is_cbor, is_json)
        if answer[0] == 200:
            alarm = cloudwatch._alarms[data["AlarmName"]]
            become_math(alarm, data["Metrics"])
            cloudwatch._evaluate_alarm(alarm)
        return answer

    return put


def _refusal(error: MetricMathError, is_cbor: bool, is_json: bool) -> Answer:
    refused: Answer = cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
    return refused


def become_math(alarm: dict[str, Any], queries: list[dict[str, Any]]) -> None:
    """Make a stored alarm one on these queries."""
    for name in OF_ONE_METRIC:
        alarm.pop(name, None)
    alarm["Metrics"] = [{"ReturnData": True, **query} for query in queries]


def _record(original: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The alarm of a template, whose numbers and booleans may be text."""

    def record(name: str, props: dict[str, Any]) -> dict[str, Any]:
        if not props.get("Metrics"):
            return original(name, props)
        queries = [_typed(query) for query in props["Metrics"]]
        metric_queries.check_for_alarm(queries)
        rest = {key: value for key, value in props.items() if key not in OF_ONE_METRIC and key != "Metrics"}
        alarm = original(name, {**rest, "MetricName": "none", "Namespace": "none"})
        become_math(alarm, queries)
        return alarm

    return record


def _typed(query: dict[str, Any]) -> dict[str, Any]:
    typed = {**query, "ReturnData": str(query.get("ReturnData", True)).lower() != "false"}
    if typed.get("Period"):
        typed["Period"] = int(typed["Period"])
    if typed.get("MetricStat"):
        typed["MetricStat"] = {**typed["MetricStat"], "Period": int(typed["MetricStat"]["Period"])}
    return typed


def _get_data(original: Handler) -> Handler:
    def get(params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:
        if not (is_cbor or is_json):
            return original(params, data, is_cbor, is_json)
        try:
            results = _results(data)
        except MetricMathError as error:
            return _refusal(error, is_cbor, is_json)
        if is_cbor:
            shown = [cloudwatch._cbor_metric_data_result(result) for result in results]
            answer: Answer = cloudwatch._cbor_ok({"MetricDataResults": shown})
        else:
            answer = cloudwatch._json_ok({"MetricDataResults": results})
        return answer

    return get


def _results(data: dict[str, Any]) -> list[dict[str, Any]]:
    queries: list[dict[str, Any]] = data.get("MetricDataQueries") or []
    begin, end = (cloudwatch._parse_ts(data.get(name)) for name in ("StartTime", "EndTime"))
    if begin is None or end is None or begin >= end:
        raise MetricMathError("The parameter StartTime must be less than the parameter EndTime.")
    newest_first = data.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results: list[dict[str, Any]] = []
    for query in queries:
        if not query.get("ReturnData", True):
            continue
        period = (metric_queries.periods([query]) or metric_queries.periods(queries) or [60])[0]
        first = math.floor(begin / period) * period
        count = math.ceil((end - first) / period)
        if count > MOST_VALUES:
            raise MetricMathError(f"You have requested {count} datapoints; {MOST_VALUES} are allowed.")
        starts = [first + index * period for index in range(count)]
        value = metric_queries.values(queries, query["Id"], starts, period)
        listed = value.series if isinstance(value, SeriesArray) else [value]
        for series in ([one] * count if isinstance(one, float) else one for one in listed):
            known = [(start, one) for start, one in zip(starts, series, strict=True) if one is not None]
            known = known[::-1] if newest_first else known
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or _label(query),
                    "Timestamps": [cloudwatch._ts_iso(start) for start, _ in known],
                    "Values": [one for _, one in known],
                    "StatusCode": "Complete",
                }
            )
    return results


def _label(query: dict[str, Any]) -> str:
    return str(query["Id"] if query.get("Expression") else query["MetricStat"]["Metric"].get("MetricName"))


def apply() -> None:
    """Raises SeamError when MiniStack takes alarms and queries in another way."""
    request = ("params", "cbor_data", "is_cbor", "is_json")
    for name, parameters in (
        ("_error", ("code", "message", "status", "use_json", "use_cbor")),
        ("_cbor_metric_data_result", ("result",)),
        ("_parse_ts", ("value",)),
        ("_ts_iso", ("epoch",)),
    ):
        seam.original(__name__, cloudwatch, name, *parameters)
    seam.replace(__name__, cloudwatch, "_put_metric_alarm", *request, by=_put_alarm)
    seam.replace(__name__, cloudwatch, "_get_metric_data", *request, by=_get_data)
    seam.replace(__name__, provisioners, "_cw_metric_alarm_record", "name", "props", by=_record)
