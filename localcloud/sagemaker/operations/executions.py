"""Pipeline executions: start, look at, stop, try again."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker.cloud import Cloud, News
from localcloud.sagemaker.engine import executor, graph, outcomes, parameters, records, selection
from localcloud.sagemaker.engine.caching import digest
from localcloud.sagemaker.engine.definition import PipelineDefinition
from localcloud.sagemaker.engine.expressions import ExpressionError, Scope, resolve
from localcloud.sagemaker.errors import bad_token, conflict, not_found, validation
from localcloud.sagemaker.operations.pipelines import page, version
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import existing, times
from localcloud.sagemaker.store import Body, Column, Resource

_ID_LETTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 12
_OWN = ("ClientRequestToken", "MlflowExperimentName", "PipelineName", "PipelineParameters", "PipelineVersionId")


def existing_execution(cloud: Cloud, arn: str) -> Resource:
    """The execution with that ARN, whose letters may differ in case.

    Raises:
        ServiceError: there is none.
    """
    found = cloud.store.find(records.EXECUTION, arn.rpartition("/")[2].lower())
    if found is None or found.arn.lower() != arn.lower():
        raise not_found(f"Pipeline execution with ARN {arn} does not exist.")
    return found


@operation("StartPipelineExecution")
def start(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Start an execution; the same ClientRequestToken a second time gives the first one's ARN."""
    asked = digest(request)
    with cloud.store.transaction():
        pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
        token = f"{pipeline.name}/{request['ClientRequestToken']}"
        before = cloud.store.find(records.TOKEN, token)
        if before and before.body["Request"] != asked:
            raise conflict("The ClientRequestToken was used before, to start another execution.")
        if before:
            return {"PipelineExecutionArn": before.body["PipelineExecutionArn"]}
        run = _insert(cloud, pipeline, request)
        body = {"PipelineExecutionArn": run.arn, "Request": asked}
        cloud.store.insert(records.TOKEN, token, body, arn="", parent=pipeline.name)
        cloud.store.update(records.PIPELINE.name, pipeline.name, {"LastRunTime": run.created})
        started = records.version_name(pipeline.name, run.body["PipelineVersionId"])
        cloud.store.update(records.VERSION, started, {"LastExecutionPipelineExecutionArn": run.arn})
    cloud.announce(News(records.EXECUTION, run.name, "Executing", "", run.body))
    executor.launch(cloud, run.name)
    return {"PipelineExecutionArn": run.arn}


def _insert(cloud: Cloud, pipeline: Resource, request: dict[str, Any]) -> Resource:
    chosen = version(cloud, pipeline, request.get("PipelineVersionId"))
    definition = graph.parse(chosen.body["PipelineDefinition"])
    given = {item["Name"]: item["Value"] for item in request.get("PipelineParameters") or []}
    try:
        values = parameters.values(definition.parameters, given)
    except parameters.ParameterError as error:
        raise validation(str(error)) from None
    identity = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
    arn, now = f"{pipeline.arn}/execution/{identity}", time.time()
    body = {
        "PipelineExecutionDisplayName": f"execution-{int(now * 1000)}",
        "ParallelismConfiguration": pipeline.body.get("ParallelismConfiguration"),
        **{name: value for name, value in request.items() if name not in _OWN},
        "PipelineArn": pipeline.arn,
        "PipelineExecutionArn": arn,
        "PipelineExecutionStatus": "Executing",
        "PipelineVersionId": chosen.body["PipelineVersionId"],
        "StartTime": now,
        "GivenParameters": given,
    }
    run = Resource(records.EXECUTION, identity, arn, pipeline.name, "Executing", now, now, body)
    body["PipelineExperimentConfig"] = _resolved(run, definition.experiment, values)
    body["MLflowConfig"] = _mlflow(_resolved(run, definition.mlflow, values), request.get("MlflowExperimentName"))
    _take_over(cloud, run, definition)
    return cloud.store.insert(records.EXECUTION, identity, body, arn=arn, parent=pipeline.name, status="Executing")


def _take_over(cloud: Cloud, run: Resource, definition: PipelineDefinition) -> None:
    """Give a selective execution the steps of its source that it needs."""
    config = run.body.get("SelectiveExecutionConfig")
    if not config:
        return
    arn = config.get("SourcePipelineExecutionArn")
    source = existing_execution(cloud, arn) if arn else None
    if source is not None and source.parent != run.parent:
        raise validation(f"Invalid SourcePipelineExecutionArn: {arn}. It is of another pipeline than {run.parent}.")
    try:
        found = selection.taken_over(cloud, definition, config, source)
    except selection.SelectionError as error:
        raise validation(str(error)) from None
    if source is None:
        return
    for step in found:
        name = step.body["StepName"]
        body = selection.copied(run, source, step)
        identity, arn = f"{run.name}/{name}", f"{run.arn}/{name}"
        cloud.store.insert(records.STEP, identity, body, arn=arn, parent=run.name, status="Succeeded")


def _resolved(run: Resource, config: Mapping[str, Any], values: dict[str, Any]) -> Body | None:
    """A part of the definition that refers to parameters and the execution only."""

    def nothing(*names: str) -> Any:
        raise ExpressionError(f"{'.'.join(names)} cannot be read before the first step")

    scope = Scope(values, outcomes.execution_values(run), step=nothing, property_file=nothing, s3_json=nothing)
    try:
        return resolve(dict(config), scope) or None
    except ExpressionError as error:
        raise validation(f"The pipeline's {', '.join(config)} cannot be resolved: {error}.") from None


def _mlflow(config: Body | None, name: str | None) -> Body | None:
    """What an execution would track with; the name at its start counts more than the definition's."""
    return {**config, **({"MlflowExperimentName": name} if name else {})} if config else None


@operation("DescribePipelineExecution")
def describe(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """An execution with its status."""
    run = existing_execution(cloud, request["PipelineExecutionArn"])
    return {**run.body, **times(run), "CreatedBy": {}, "LastModifiedBy": {}}


@operation("UpdatePipelineExecution")
def update(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Change the name, the description or the parallelism of an execution; the last also while it runs."""
    run = existing_execution(cloud, request["PipelineExecutionArn"])
    members = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration")
    cloud.store.update(records.EXECUTION, run.name, {name: request[name] for name in members if name in request})
    return {"PipelineExecutionArn": run.arn}


@operation("ListPipelineExecutions")
def list_executions(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The executions of a pipeline, the newest first unless asked otherwise."""
    pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
    order: Column = "name" if request.get("SortBy") == "PipelineExecutionArn" else "created"
    found, token = page(cloud, records.EXECUTION, request, parent=pipeline.name, order=order)
    summaries = [{**run.body, "PipelineExecutionFailureReason": run.body.get("FailureReason")} for run in found]
    return {"PipelineExecutionSummaries": summaries, "NextToken": token}


@operation("ListPipelineExecutionSteps")
def list_steps(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The steps that were reached, the one that started last first unless asked otherwise."""
    if "PipelineExecutionArn" not in request:
        raise validation("PipelineExecutionArn is required.")
    run = existing_execution(cloud, request["PipelineExecutionArn"])
    found, token = page(cloud, records.STEP, request, parent=run.name)
    return {"PipelineExecutionSteps": [step.body for step in found], "NextToken": token}


@operation("DescribePipelineDefinitionForExecution")
def describe_definition(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The definition that an execution runs."""
    run = existing_execution(cloud, request["PipelineExecutionArn"])
    return {"PipelineDefinition": records.definition_text(cloud, run), "CreationTime": run.created}


@operation("ListPipelineParametersForExecution")
def list_parameters(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The parameters that an execution was started with; at most 200 can be given, of which a page holds 100."""
    run = existing_execution(cloud, request["PipelineExecutionArn"])
    names = sorted(run.body["GivenParameters"])
    after, most = request.get("NextToken", ""), request.get("MaxResults", 100)
    if after and after not in names:
        raise bad_token()
    left = [name for name in names if name > after]
    shown = [{"Name": name, "Value": run.body["GivenParameters"][name]} for name in left[:most]]
    return {"PipelineParameters": shown, "NextToken": left[most - 1] if len(left) > most else None}


@operation("StopPipelineExecution")
def stop(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Stop the running jobs of an execution and start no more; a second time changes nothing."""
    with cloud.store.transaction():
        run = existing_execution(cloud, request["PipelineExecutionArn"])
        if run.status == "Executing":
            cloud.store.update(records.EXECUTION, run.name, {"PipelineExecutionStatus": "Stopping"}, status="Stopping")
        elif run.status != "Stopping":
            raise conflict(f"Pipeline execution {run.arn} is {run.status} and cannot be stopped.")
    if run.status == "Executing":
        cloud.announce(News(records.EXECUTION, run.name, "Stopping", "Executing", run.body))
    return {"PipelineExecutionArn": run.arn}


@operation("RetryPipelineExecution")
def retry(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Run again what failed or was not finished, with the same definition and parameters; what succeeded is kept."""
    with cloud.store.transaction():
        run = existing_execution(cloud, request["PipelineExecutionArn"])
        if run.status not in ("Failed", "Stopped", records.WITH_FAILURES):
            raise conflict(f"Pipeline execution {run.arn} is {run.status}; only Failed and Stopped ones are retried.")
        changes: Body = {"PipelineExecutionStatus": "Executing", "FailureReason": None, "EndTime": None}
        if "ParallelismConfiguration" in request:
            changes["ParallelismConfiguration"] = request["ParallelismConfiguration"]
        new = cloud.store.update(records.EXECUTION, run.name, changes, status="Executing")
    cloud.announce(News(records.EXECUTION, run.name, "Executing", run.status, new.body))
    executor.launch(cloud, run.name)
    return {"PipelineExecutionArn": run.arn}
