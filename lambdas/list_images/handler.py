"""Lambda function ListImages: `s3_bucket`, `prefix` in; a work list in S3 and what it comes to out."""

from __future__ import annotations

from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.contract import BUCKET_NAME, Fields, answer, execution_name, text
from lambdas.list_images.listing import ROOT, keys_under, work_key, write_work
from lambdas.outcomes import BadInputError

BATCH_SIZE = 25  # about a second of work: a time-out or a retry repeats little
BATCH_CONCURRENCY = 4  # what an endpoint on one instance can answer beside live traffic

log = telemetry.logger("list-images")


@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the event's fields, `run`, `work` (where the work list is), `images`, `batches`
    and `concurrency` (how many of them at a time).
    """
    return answer(event, lambda fields: list_work(fields, context.aws_request_id), log)


def list_work(fields: Fields, request_id: str) -> Fields:
    """The work list of the run that is named after the execution."""
    bucket, prefix, run = text(fields, "s3_bucket"), text(fields, "prefix"), execution_name(fields, request_id)
    if not BUCKET_NAME.fullmatch(bucket) or prefix.startswith(f"{ROOT}/"):
        raise BadInputError("BadEvent", f"s3://{bucket}/{prefix} cannot be a prefix of pictures.")
    keys = keys_under(clients.s3(), bucket, prefix)
    results = configuration.required("BUCKET")
    made = write_work(clients.s3(), results, run, keys, configuration.whole("BATCH_SIZE", BATCH_SIZE))
    return {
        "run": run,
        "images": len(keys),
        "batches": made,
        "concurrency": configuration.whole("BATCH_CONCURRENCY", BATCH_CONCURRENCY),
        "threshold": fields.get("threshold"),
        "work": {"bucket": results, "key": work_key(run)},
    }
