"""Lambda function Staging: the pipeline's steps TestStaging and RemoveStaging, and what is left to remove after it.

Called by the pipeline with `{"step", "execution", …}`, and by EventBridge when an execution ended without success: one
that is stopped or breaks off reaches no RemoveStaging, and its endpoint would bill.
"""

from __future__ import annotations

from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.staging import remove, trial, verdict
from lambdas.staging.names import endpoint_name

ATTEMPTS = 4

log = telemetry.logger("staging")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with what was found or removed.

    Raises:
        StagingFailedError: the test failed; the version is rejected, and the step fails with this reason.
        OutcomeError: nothing was tested or removed, and why.
    """
    if "detail" in event:
        execution = str(event["detail"]["pipelineExecutionArn"]).rpartition("/")[2]
        result = remove.endpoint(clients.sagemaker(), endpoint_name(execution))
    elif event["step"] == "remove":
        result = remove.everything(clients.sagemaker(), endpoint_name(event["execution"]))
    else:
        result = _test(event)
    log.info("done", extra={"result": result})
    return result


def _test(event: dict[str, Any]) -> dict[str, Any]:
    """The result, once it stands in the registry and in S3."""
    asked = trial.Trial.of(event)
    pipeline = configuration.required("PIPELINE_ARN")
    try:
        trial.require_service(asked, clients.sagemaker(), pipeline)
        found = trial.carry_out(asked, clients.runtime(ATTEMPTS), clients.s3())
        if found.problems:  # those of an endpoint that was taken away meanwhile are not the model's
            trial.require_service(asked, clients.sagemaker(), pipeline)
    except trial.NotInServiceError as error:
        found = trial.Findings(problems=[str(error)])
    return verdict.write(asked, found, clients.sagemaker(), clients.s3())
