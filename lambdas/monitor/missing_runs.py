"""The alarm that rings when expected runs are missing: it is there as long as an endpoint is watched.

Function Alert publishes RunsFailed (0 or 1) when a run ends, whoever started it. EventBridge Scheduler starts one every
hour, with or without traffic; Model Monitor starts none for an hour without, so there only traffic makes silence wrong.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas import configuration
from lambdas.monitor.watching import Watching
from lambdas.service_errors import calling

NAMESPACE = "Scones/Monitoring"
HOUR = 3600
HOURS_OF_SILENCE = 3
"""A run may be put off for one that still works, and takes minutes to be counted."""
MODEL_MONITOR_HOURS, MODEL_MONITOR_WINDOWS = 3, 2
"""Model Monitor starts up to 20 minutes after the hour: traffic at a window's end is analysed in the next one."""


def missing_runs_alarm(host: Watching) -> str:
    """The alarm's name."""
    return f"{host.schedule}-missing"


def create_alarm(host: Watching, cloudwatch: Any, only_with_traffic: bool) -> None:
    """Make the alarm. A first value is published with it: with none, it would ring before the first run was due."""
    runs = {"Namespace": NAMESPACE, "MetricName": "RunsFailed", "Dimensions": _dimensions(Endpoint=host.endpoint)}
    first = {"MetricName": "RunsFailed", "Value": 0.0, "Unit": "Count", "Dimensions": runs["Dimensions"]}
    with calling("publishing that the monitor was attached"):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[first])
    topic = configuration.required("ALARMS_TOPIC")
    common = {
        "AlarmName": missing_runs_alarm(host),
        "AlarmDescription": f"No run of the monitor of {host.endpoint} ended for hours: is an instance quota 0?",
        "AlarmActions": [topic],
        "OKActions": [topic],
    }
    asked = _with_traffic(host, runs) if only_with_traffic else _every_hour(runs)
    with calling(f"making alarm {missing_runs_alarm(host)}"):
        cloudwatch.put_metric_alarm(**common, **asked)


def delete_alarm(host: Watching, cloudwatch: Any) -> bool:
    """Delete the alarm; False when there was none."""
    with calling(f"deleting alarm {missing_runs_alarm(host)}"):
        try:
            cloudwatch.delete_alarms(AlarmNames=[missing_runs_alarm(host)])
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ResourceNotFound", "ResourceNotFoundException"}:
                return False
            raise
    return True


def _every_hour(runs: dict[str, Any]) -> dict[str, Any]:
    return {
        **runs,
        "Statistic": "SampleCount",
        "Period": HOUR,
        "EvaluationPeriods": HOURS_OF_SILENCE,
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 1.0,
        "TreatMissingData": "breaching",
    }


def _with_traffic(host: Watching, runs: dict[str, Any]) -> dict[str, Any]:
    requests = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": _dimensions(EndpointName=host.endpoint, VariantName="AllTraffic"),
    }
    period = MODEL_MONITOR_HOURS * HOUR
    return {
        "Metrics": [
            {"Id": "silence", "Expression": "IF(FILL(runs, 0) < 1 AND FILL(requests, 0) > 0, 1, 0)"},
            {
                "Id": "runs",
                "MetricStat": {"Metric": runs, "Period": period, "Stat": "SampleCount"},
                "ReturnData": False,
            },
            {
                "Id": "requests",
                "MetricStat": {"Metric": requests, "Period": period, "Stat": "Sum"},
                "ReturnData": False,
            },
        ],
        "EvaluationPeriods": MODEL_MONITOR_WINDOWS,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.0,
        "TreatMissingData": "notBreaching",
    }


def _dimensions(**named: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items()]
