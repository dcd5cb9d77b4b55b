"""Lambda function SummariseBatch: a finished batch run in; summary.json in S3, its counts out."""

from __future__ import annotations

from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.contract import Fields, answer, text
from lambdas.list_images.listing import summary_key
from lambdas.objects import write_json
from lambdas.outcomes import FailedError
from lambdas.summarise_batch.summary import gathered, most_often, summary

log = telemetry.logger("summarise-batch")


@log.inject_lambda_context
def handler(event: object, context: Any) -> Fields:
    """Answer with the run's counts and `summary` (its S3 URI); outcome failed when too many pictures failed."""
    return answer(event, summarise, log)


def summarise(fields: Fields) -> Fields:
    """The summary is written in any case; then the share of failed pictures is held against what is tolerated."""
    run, bucket = text(fields, "run"), configuration.required("BUCKET")
    report = summary(run, f"s3://{fields['s3_bucket']}/{fields['prefix']}", *gathered(clients.s3(), bucket, run))
    write_json(clients.s3(), bucket, summary_key(run), report)
    uri = f"s3://{bucket}/{summary_key(run)}"
    tolerated = configuration.whole("TOLERATED_FAILURE_PERCENTAGE", 5)
    if report["failed_percentage"] > tolerated:
        problem = f"{report['failed_percentage']} % of {report['images']} pictures failed; {tolerated} % are tolerated."
        problem += f" {most_often(report)}" if report["failed"] else ""
        raise FailedError("TooManyFailures", problem, summary=uri, map_failure=fields.get("failure"))
    counts = {name: report[name] for name in ("images", "routed", "routes", "vehicles", "failed_percentage")}
    lists = {name: len(report[name]) for name in ("low_confidence", "unfamiliar", "failed", "not_processed")}
    return {"summary": uri, "counts": counts | lists}
