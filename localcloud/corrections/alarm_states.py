"""An alarm looks at its own metric, period by period, and treats missing data as it is told to."""

from __future__ import annotations

import json
import operator
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch

from localcloud.corrections import metric_queries, seam
from localcloud.corrections.metric_expressions import MetricMathError

BEHAVIOUR = (
    "An alarm takes the metric of exactly its dimensions (and unit), one value for each of its periods, and is ALARM "
    "when DatapointsToAlarm of EvaluationPeriods breach; TreatMissingData decides about periods without data."
)
EVIDENCE = (
    "CloudWatch user guide, 'Evaluating an alarm' and 'Configuring how CloudWatch alarms treat missing data' with its "
    "two tables, which are the test; the form of reasons is that of its examples."
)
MINISTACK = "1.5.33"

Values = Sequence[float | None]
"""One value for each period, oldest first; None where there was no data."""

FURTHER_BACK = 2
"""Periods that are looked at beside EvaluationPeriods: CloudWatch does not say how many, its tables show two."""
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_lock = threading.Lock()


def judged(breaches: Sequence[bool | None], periods: int, to_alarm: int, missing: str) -> str | None:
    """The state that these periods mean, or None when the alarm stays as it is.

    Args:
        breaches: for each period of the evaluation range, oldest first, whether it breaches; None without data.
        periods: EvaluationPeriods.
        to_alarm: DatapointsToAlarm.
        missing: TreatMissingData: missing, ignore, breaching or notBreaching.
    """
    if not any(breach is not None for breach in breaches[-periods:]):
        return {"breaching": "ALARM", "notBreaching": "OK", "ignore": None}.get(missing, "INSUFFICIENT_DATA")
    known = [breach for breach in breaches if breach is not None][-periods:]
    breaching = sum(known) + (periods - len(known) if missing == "breaching" else 0)
    if breaching >= to_alarm:
        return "ALARM"
    if missing in ("breaching", "notBreaching") or len(known) == periods or not all(known):
        return "OK"
    recent = breaches[-periods:]
    since = next(age for age, breach in zip(range(len(recent), 0, -1), recent, strict=True) if breach is not None)
    return "ALARM" if missing == "missing" and since >= to_alarm else None


def values(alarm: dict[str, Any], now: float) -> tuple[Values, float]:
    """The alarm's values and the moment (seconds since 1970) at which the last of its periods ends.

    Periods slide: they end with the last full minute (or the last full period, when it is shorter), and with the one
    that runs as soon as there is data in it.
    """
    queries = metrics(alarm)
    period = period_of(alarm)
    length = alarm["EvaluationPeriods"] + FURTHER_BACK
    step = min(60, period)
    end = now // step * step
    stats = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    if any(end <= point["Timestamp"] < end + step for stat in stats for point in metric_queries.unit_points(stat)):
        end += step
    starts = [end - back * period for back in range(length, 0, -1)]
    found = metric_queries.values(queries, metric_queries.returned(queries)["Id"], starts, period)
    if not isinstance(found, list):
        raise MetricMathError(f"The metrics of alarm {alarm['AlarmName']} are not one time series.")
    return found, end


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The queries of an alarm on metric math, or the one that an alarm on one metric means."""
    if alarm.get("Metrics"):
        listed: list[dict[str, Any]] = alarm["Metrics"]
        return listed
    stat = {
        "Metric": {name: alarm.get(name) for name in ("Namespace", "MetricName", "Dimensions")},
        "Period": alarm["Period"],
        "Stat": alarm.get("ExtendedStatistic") or alarm["Statistic"],
        "Unit": alarm.get("Unit"),
    }
    return [{"Id": "m1", "MetricStat": stat}]


def period_of(alarm: dict[str, Any]) -> int:
    """Seconds between two values of the alarm."""
    return max(metric_queries.periods(metrics(alarm)))


def evaluate(alarm: dict[str, Any]) -> None:
    """Give the alarm the state that its metric has now, and tell those who want to know of a change."""
    if not (alarm.get("MetricName") or alarm.get("Metrics")) or alarm.get("ComparisonOperator") not in _COMPARISONS:
        return
    compare, _ = _COMPARISONS[alarm["ComparisonOperator"]]
    now = time.time()
    found, end = values(alarm, now)
    periods = alarm["EvaluationPeriods"]
    to_alarm = alarm.get("DatapointsToAlarm") or periods
    breaches = [None if value is None else bool(compare(value, alarm["Threshold"])) for value in found]
    state = judged(breaches, periods, to_alarm, alarm.get("TreatMissingData") or "missing")
    with _lock:  # requests and the clock evaluate
        before = alarm["StateValue"]
        if state in (None, before):
            return
        reason, data = _reason(alarm, state, before, found, end)
        alarm |= {"StateValue": state, "StateReason": reason, "StateReasonData": data}
        alarm["StateUpdatedTimestamp"] = int(now)
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason, reason_data=json.loads(data))
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def evaluate_all() -> None:
    """After new data: evaluate the alarms of metrics that have some in these minutes; the clock does the others."""
    since = time.time() - 120
    for alarm in cloudwatch._alarms.values():
        own = [query["MetricStat"]["Metric"] for query in metrics(alarm) if query.get("MetricStat")]
        if any(point["Timestamp"] >= since for metric in own for point in reversed(metric_queries.points(metric))):
            evaluate(alarm)


def _reason(alarm: dict[str, Any], state: str | None, before: str, found: Values, end: float) -> tuple[str, str]:
    """Why the alarm is in the state, in CloudWatch's words and as its JSON text."""
    periods = alarm["EvaluationPeriods"]
    count = alarm.get("DatapointsToAlarm") or periods
    _, words = _COMPARISONS[alarm["ComparisonOperator"]]
    recent = [(value, end - (back + 1) * period_of(alarm)) for back, value in enumerate(reversed(found))]
    known = [(value, start) for value, start in recent if value is not None][:periods]
    many = "s" if periods > 1 else ""
    if state == "INSUFFICIENT_DATA":
        reason = f"Insufficient Data: {periods} datapoint{many} {'were' if many else 'was'} unknown."
    elif not any(value is not None for value, _ in recent[:periods]):
        treated = alarm["TreatMissingData"][0].upper() + alarm["TreatMissingData"][1:]
        reason = f"Threshold Crossed: no datapoints were received for {periods} period{many} and {periods} missing "
        reason += f"datapoint{many} {'were' if many else 'was'} treated as [{treated}]."
    else:
        shown = ", ".join(f"{value} ({datetime.fromtimestamp(start, UTC):%d/%m/%y %H:%M:%S})" for value, start in known)
        verb = ("was" if len(known) == 1 else "were") + ("" if state == "ALARM" else " not")
        reason = f"Threshold Crossed: {len(known)} out of the last {periods} datapoint{many} [{shown}] {verb} {words} "
        reason += f"the threshold ({alarm['Threshold']}) (minimum {count} datapoint{'s' if count > 1 else ''} "
        reason += f"for {before} -> {state} transition)."
    data = {
        "version": "1.0",
        "queryDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000+0000}",
        "period": period_of(alarm),
        "recentDatapoints": [value for value, _ in reversed(known)],
        "threshold": alarm["Threshold"],
    }
    if alarm.get("MetricName"):
        data["statistic"] = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    return reason, json.dumps(data)


def apply() -> None:
    """Raises SeamError when MiniStack stores metrics, or changes alarms, in another way."""
    for name, parameters in (
        ("_calc_stats", ("points",)),
        ("_stat_value", ("stats", "stat_name", "points")),
        ("_dims_key", ("dims",)),
        ("_record_history", ("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data")),
        ("_dispatch_alarm_actions", ("alarm", "old_state", "new_state", "reason")),
        ("_evaluate_parent_alarms", ("child", "seen")),
    ):
        seam.original(__name__, cloudwatch, name, *parameters)
    seam.replace(__name__, cloudwatch, "_evaluate_alarm", "alarm", by=lambda _: evaluate)
    seam.replace(__name__, cloudwatch, "_evaluate_all_alarms", by=lambda _: evaluate_all)
