"""Lambda function ClassifyBatch: one batch of keys in; results in S3 and counts out."""

from __future__ import annotations

from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.classify_batch.batch import Workflow, classify_picture, counted, first_to_retry
from lambdas.contract import Fields, answer, answered, text
from lambdas.filter_inferences.threshold import chosen, stored
from lambdas.list_images.listing import result_key
from lambdas.objects import write_json
from lambdas.outcomes import BadInputError, RetryableError

ATTEMPTS = 4  # per picture, inside the function, with botocore's back-off and jitter

log = telemetry.logger("classify-batch")


@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with `index`, `counts` and an `outcome`: a state machine's Map keeps what every batch returns."""
    result = answered(answer(event, classify_pictures, log))
    return {name: result[name] for name in ("index", "counts", "outcome", "error", "cause") if name in result}


def classify_pictures(fields: Fields) -> Fields:
    """Results are written before the outcome is judged: a batch that must be tried again loses nothing."""
    bucket, run, index, keys = text(fields, "s3_bucket"), text(fields, "run"), fields.get("index"), fields.get("keys")
    if not isinstance(index, int) or not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadInputError("BadEvent", "A batch is a number, `index`, and a list of keys, `keys`.")
    flow = Workflow(
        s3=clients.s3(),
        runtime=clients.runtime(ATTEMPTS),
        endpoint=configuration.endpoint_name(),
        classes=configuration.classes(),
        routes=configuration.routes(),
        size=configuration.image_size(),
        threshold=chosen(fields.get("threshold"), clients.ssm(), configuration.threshold_parameter()),
        limit=lambda: stored(clients.ssm(), configuration.unfamiliarity_parameter()),
    )
    results = [classify_picture(flow, run, bucket, key) for key in keys]
    write_json(clients.s3(), configuration.required("BUCKET"), result_key(run, index), results)
    busy = first_to_retry(results)
    if busy is not None:
        raise RetryableError(busy["error"], f"Batch {index}, picture {busy['key']}: {busy['problem']}")
    return {"index": index, "counts": counted(results)}
