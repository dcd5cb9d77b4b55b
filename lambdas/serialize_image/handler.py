"""Lambda function SerializeImage: `s3_bucket`, `s3_key` in; `image_data` (base64 PNG of the model's shape) out."""

from __future__ import annotations

import base64
from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.contract import Fields, answer, object_location
from lambdas.serialize_image.picture import normalised
from lambdas.serialize_image.stored_picture import fetch

log = telemetry.logger("serialize-image")


@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the event's fields, `image_data` filled and `inferences` empty, and an `outcome`."""
    return answer(event, serialized, log)


def serialized(fields: Fields) -> Fields:
    """The picture that the event names, ready for the model."""
    bucket, key = object_location(fields)
    png = normalised(fetch(clients.s3(), bucket, key), configuration.image_size())
    return {"s3_bucket": bucket, "s3_key": key, "image_data": base64.b64encode(png).decode(), "inferences": []}
