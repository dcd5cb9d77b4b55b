"""Lambda function FilterInferences: `inferences` in; `decision` (vehicle, route, confidence, threshold) out."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas import clients, configuration, telemetry
from lambdas.contract import Fields, answer, outcome_of
from lambdas.filter_inferences.decision import checked, decide
from lambdas.filter_inferences.threshold import chosen

log = telemetry.logger("filter-inferences")
metrics = telemetry.metrics("filter-inferences")


@metrics.log_metrics
@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the event's fields, `decision`, and an `outcome`: low_confidence below the threshold."""
    result = answer(event, filtered, log)
    unsure = outcome_of(result) == "low_confidence"
    metrics.add_metric(name="LowConfidence", unit=MetricUnit.Count, value=int(unsure))
    return result


def filtered(fields: Fields) -> Fields:
    """The routing decision, measured before the threshold is applied to it."""
    classes = configuration.classes()
    vector = checked(fields.get("inferences"), classes)
    metrics.add_metric(name="Confidence", unit=MetricUnit.NoUnit, value=max(vector))
    threshold = chosen(fields.get("threshold"), clients.ssm(), configuration.threshold_parameter())
    decision = decide(vector, classes, configuration.routes(), threshold)
    return {"inferences": vector, "decision": decision}
