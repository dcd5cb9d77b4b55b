"""Lambda function FilterInferences: `inferences` in; `decision` (vehicle, route, confidence, threshold) out."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas import clients, configuration, telemetry
from lambdas.contract import Fields, answer, answered
from lambdas.filter_inferences.decision import checked, checked_unfamiliarity, decide, refuse_stranger
from lambdas.filter_inferences.threshold import chosen, stored

log = telemetry.logger("filter-inferences")
metrics = telemetry.metrics("filter-inferences")


@metrics.log_metrics
@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the event's fields, `decision`, and an `outcome`: low_confidence, or unfamiliar."""
    result = answer(event, filtered, log)
    outcome = answered(result)["outcome"]
    metrics.add_metric(name="LowConfidence", unit=MetricUnit.Count, value=int(outcome == "low_confidence"))
    metrics.add_metric(name="Unfamiliar", unit=MetricUnit.Count, value=int(outcome == "unfamiliar"))
    return result


def filtered(fields: Fields) -> Fields:
    """The routing decision, measured before the limits are applied. What the model does not know, it cannot judge."""
    classes = configuration.classes()
    vector = checked(fields.get("inferences"), classes)
    unfamiliarity = checked_unfamiliarity(fields.get("unfamiliarity"))
    said = {} if unfamiliarity is None else {"unfamiliarity": unfamiliarity}
    metrics.add_metric(name="Confidence", unit=MetricUnit.NoUnit, value=max(vector))
    if unfamiliarity is not None:
        metrics.add_metric(name="Unfamiliarity", unit=MetricUnit.NoUnit, value=unfamiliarity)
        limit = stored(clients.ssm(), configuration.unfamiliarity_parameter())
        refuse_stranger(vector, classes, unfamiliarity, limit)
    threshold = chosen(fields.get("threshold"), clients.ssm(), configuration.threshold_parameter())
    decision = decide(vector, classes, configuration.routes(), threshold)
    return {"inferences": vector, "decision": {**decision, **said}}
