"""The alarms that roll an update back: on the new configuration alone, and on what is a server's fault.

They are made before the update and deleted when it has settled. AWS's "Auto-Rollback Configuration and Monitoring"
warns that an alarm on the endpoint (EndpointName, VariantName) ends a deployment for the old fleet's errors, and names
the third dimension, EndpointConfigName, under which CloudWatch has the new fleet's. InvocationModelErrors would count
every answer that is not 2xx, so a caller's broken pictures too ("Metrics for monitoring SageMaker AI with CloudWatch").
"""

from __future__ import annotations

import os
from typing import Any

from botocore.exceptions import ClientError

from lambdas.deploy.plan import VARIANT, DeployPlan
from lambdas.service_errors import calling

ERROR_RATE = 0.05
SLOW_MICROSECONDS = 1_000_000
MEASURES: dict[str, dict[str, Any]] = {
    # 0 or 1 per request, so the average is the rate
    "errors": {"MetricName": "Invocation5XXErrors", "Statistic": "Average", "Threshold": ERROR_RATE},
    "latency": {"MetricName": "ModelLatency", "ExtendedStatistic": "p99", "Threshold": SLOW_MICROSECONDS},
}


def rollback_alarms(config: str) -> list[str]:
    """Names of the alarms of an endpoint configuration."""
    return [f"{config}-{measure}" for measure in MEASURES]


def create_alarms(cloudwatch: Any, endpoint: str, config: str) -> None:
    """Make the configuration's alarms. One that is left of an earlier run is made anew: its state would be kept."""
    delete_alarms(cloudwatch, config)
    where = {"EndpointName": endpoint, "VariantName": VARIANT, "EndpointConfigName": config}
    for name, measure in zip(rollback_alarms(config), MEASURES.values(), strict=True):
        with calling(f"making alarm {name}"):
            cloudwatch.put_metric_alarm(
                AlarmName=name,
                AlarmDescription=f"Rolls the update of endpoint {endpoint} to {config} back.",
                Namespace="AWS/SageMaker",
                Dimensions=[{"Name": dimension, "Value": value} for dimension, value in where.items()],
                Period=60,
                EvaluationPeriods=3,
                DatapointsToAlarm=2,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="notBreaching",
                **measure,
            )


def delete_alarms(cloudwatch: Any, config: str) -> None:
    """Delete those of the configuration's alarms that are there, one by one: one that is missing fails a whole call."""
    for name in rollback_alarms(config):
        with calling(f"deleting alarm {name}"):
            try:
                cloudwatch.delete_alarms(AlarmNames=[name])
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"ResourceNotFound", "ResourceNotFoundException"}:
                    raise


def ringing(cloudwatch: Any, names: list[str]) -> list[str]:
    """Those of the alarms that are in ALARM."""
    if not names:
        return []
    with calling(f"looking at alarms {', '.join(names)}"):
        found = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    return sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM")


def endpoint_alarms() -> list[str]:
    """The stack's alarms on the endpoint, from `ENDPOINT_ALARMS=a,b`: for people, no deployment ends for them."""
    return [name for name in os.environ.get("ENDPOINT_ALARMS", "").split(",") if name]


def said_of_standing(plan: DeployPlan) -> str:
    """A sentence about the endpoint's alarms that rang before this deployment; "" when none did."""
    standing = plan.get("standing_alarms") or []
    return f" Before this deployment began, alarm {', '.join(standing)} stood already." if standing else ""
