"""Lambda function ClassifyImage: `image_data` in; `inferences` (a probability per class) and `unfamiliarity` out."""

from __future__ import annotations

from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.classify_image.encoding import decoded
from lambdas.classify_image.endpoint import classify, inference_id
from lambdas.contract import Fields, answer, execution_name, text

log = telemetry.logger("classify-image")


@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the event's fields, `inferences` filled, and an `outcome`."""
    return answer(event, lambda fields: classify_picture(fields, context.aws_request_id), log)


def classify_picture(fields: Fields, request_id: str) -> Fields:
    """The model's answer, under an inference id that names the execution (or the request, without one)."""
    picture, content_type = decoded(text(fields, "image_data"))
    name = execution_name(fields, otherwise=request_id)
    endpoint, classes = configuration.endpoint_name(), len(configuration.classes())
    found = classify(clients.runtime(), endpoint, picture, content_type, inference_id(name), classes)
    said = {} if found.unfamiliarity is None else {"unfamiliarity": found.unfamiliarity}
    return {"inferences": found.inferences, **said}
