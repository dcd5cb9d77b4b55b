"""Lambda function Retrain: starts the pipeline as it was started for the live version, with the reason as a parameter.

It starts with the newest set of reviewed deliveries: that is where the drifted pictures are. The new model waits for
approval like any other.
"""

from __future__ import annotations

import re
from typing import Any

from lambdas import clients, configuration, telemetry
from lambdas.objects import parsed, read_json
from lambdas.outcomes import FailedError
from lambdas.service_errors import calling

REASON, REVIEWED = "StartReason", "ReviewedPictures"
NEWEST = "reviewed/newest.json"
"""What `scones monitor publish` writes last: the address of the set."""
RUNNING = {"Executing", "Stopping"}

log = telemetry.logger("retrain")


@log.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with the execution that was started, or why none was."""
    result = _start_pipeline(event["id"], event["detail"]["reason"])
    log.info("done", extra={"result": result})
    return result


def _start_pipeline(token: str, reason: str) -> dict[str, str]:
    sagemaker, pipeline = clients.sagemaker(), configuration.required("PIPELINE")
    with calling(f"looking at the executions of {pipeline}"):
        latest = sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=1)["PipelineExecutionSummaries"]
    if latest and latest[0]["PipelineExecutionStatus"] in RUNNING:
        return {"message": f"{latest[0]['PipelineExecutionArn']} is running already."}
    given = {one["Name"]: one["Value"] for one in _of_live_model()} | _reviewed() | {REASON: _plain(reason)}
    with calling(f"starting {pipeline}"):
        started = sagemaker.start_pipeline_execution(
            PipelineName=pipeline,
            ClientRequestToken=token,  # the event's id: of two deliveries one starts it
            PipelineExecutionDescription=reason[:3072],
            PipelineParameters=[{"Name": name, "Value": value} for name, value in given.items()],
        )
    return {"execution": str(started["PipelineExecutionArn"])}


def _reviewed() -> dict[str, str]:
    """The newest set of reviewed deliveries; nothing where none was published, and then that of the live version."""
    bucket = configuration.required("BUCKET")
    newest = read_json(clients.s3(), bucket, NEWEST)
    if newest is None:
        return {}
    if not isinstance(newest, dict) or not isinstance(newest.get("uri"), str):
        raise FailedError("NotASet", f"s3://{bucket}/{NEWEST} names no set of reviewed deliveries.")
    return {REVIEWED: newest["uri"]}


def _of_live_model() -> list[dict[str, str]]:
    """The parameters of the execution that made the live version: the same data, unless the operator changes that."""
    parameter = configuration.required("LIVE_PARAMETER")
    with calling(f"reading {parameter}"):
        text = clients.ssm().get_parameter(Name=parameter)["Parameter"]["Value"]
    live = parsed(text, f"Parameter {parameter}")
    if "model_package_arn" not in live:
        raise FailedError("NothingLive", "No version is live, so there is nothing to train again.")
    with calling(f"looking at {live['model_package_arn']}"):
        package = clients.sagemaker().describe_model_package(ModelPackageName=live["model_package_arn"])
    execution = package.get("CustomerMetadataProperties", {}).get("execution")
    if not execution:
        return []
    with calling(f"reading the parameters of {execution}"):
        found: list[dict[str, str]] = clients.sagemaker().list_pipeline_parameters_for_execution(
            PipelineExecutionArn=execution
        )["PipelineParameters"]
    return found


def _plain(reason: str) -> str:
    """Within the alphabet and length of a model package's metadata, where it ends up."""
    return re.sub(r"[^\w .:/=+@-]", " ", reason)[:256].strip()
