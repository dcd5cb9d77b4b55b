"""Pipeline executions: find one, start one, retry it, stop it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from pipelines.definition import builtin_algorithm, reviewed_pictures
from pipelines.runs.given_parameters import check_parameters
from pipelines.runs.upsert import deployed
from project import aws, s3
from project.console import say
from project.errors import CloudError, DataError, UsageError
from steps import picture_list, reviewed_list

RUNNING = {"Executing", "Stopping"}


def resolve(pipeline: str, wanted: str | None) -> str:
    """The ARN of an execution given by ARN, id or display name; of the latest one when nothing is given.

    Raises:
        UsageError: the pipeline has no such execution, or none at all.
    """
    if wanted and wanted.startswith("arn:"):
        return wanted
    known: list[str] = []
    for summary in newest_first(pipeline):
        arn = str(summary["PipelineExecutionArn"])
        known.append(execution_id(arn))
        if wanted in {None, execution_id(arn), summary.get("PipelineExecutionDisplayName")}:
            return arn
    if wanted and known:
        raise UsageError(
            f"Pipeline {pipeline} has no execution with id or display name {wanted!r}.",
            f"The newest: {', '.join(known[:5])}.",
        )
    raise UsageError(f"Pipeline {pipeline} has no execution yet.", "Start one: scones start --wait.")


def no_pipeline(name: str) -> UsageError:
    """The error for a pipeline that was never deployed."""
    return UsageError(f"There is no pipeline {name}.", "Create it: scones upsert.")


def execution_id(arn: str) -> str:
    """The last part of an execution's ARN."""
    return arn.rsplit("/", 1)[-1]


def describe(arn: str) -> dict[str, Any]:
    """DescribePipelineExecution's answer."""
    with aws.explained(f"describing execution {execution_id(arn)}"):
        answer: dict[str, Any] = aws.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    return answer


def definition(arn: str) -> dict[str, Any]:
    """The definition that the execution runs, whatever the pipeline's is by now."""
    with aws.explained(f"reading the definition of execution {execution_id(arn)}"):
        answer = aws.client("sagemaker").describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    found: dict[str, Any] = json.loads(answer["PipelineDefinition"])
    return found


def list_steps(arn: str) -> list[dict[str, Any]]:
    """The steps reached so far, oldest first."""
    with aws.explained(f"listing the steps of execution {execution_id(arn)}"):
        pages = aws.client("sagemaker").get_paginator("list_pipeline_execution_steps")
        found = pages.paginate(PipelineExecutionArn=arn, SortOrder="Ascending")
        return [step for page in found for step in page["PipelineExecutionSteps"]]


def start(pipeline: str, given: Mapping[str, str], display_name: str | None, code_commit: str | None) -> str:
    """Start the deployed pipeline with the values `given`; the execution's ARN.

    `code_commit` is recorded unless CodeCommit is given. A number of epochs moves the learning-rate steps along, unless
    these are given.

    Raises:
        UsageError: there is no such pipeline, or a parameter does not fit.
        DataError: the input archive, or the set of reviewed deliveries, is not in its bucket.
    """
    current = deployed(pipeline)
    if current is None:
        raise no_pipeline(pipeline)
    declared = {parameter["Name"]: parameter for parameter in current.definition.get("Parameters", [])}
    values = dict(given)
    if values.get(reviewed_pictures.PARAMETER) == "":
        del values[reviewed_pictures.PARAMETER]  # its default is the set without pictures
    check_parameters(declared.values(), values)
    if code_commit and "CodeCommit" in declared:
        values.setdefault("CodeCommit", code_commit)
    if "Epochs" in given and "LearningRateSteps" in declared and "LearningRateSteps" not in given:
        values["LearningRateSteps"] = builtin_algorithm.learning_rate_steps(int(given["Epochs"]))
        say(f"LearningRateSteps follows Epochs: {values['LearningRateSteps']}")
    _require_archive({name: p.get("DefaultValue") for name, p in declared.items()} | values)
    if reviewed := values.get(reviewed_pictures.PARAMETER):
        _require(
            f"{reviewed}{reviewed_list.FILE}",
            f"There is no set of reviewed deliveries at {reviewed}.",
            "Publish one and start with it: scones start --reviewed.",
        )
    return start_unchecked(pipeline, values, display_name)


def start_unchecked(pipeline: str, values: Mapping[str, str], display_name: str | None) -> str:
    """Start anybody's pipeline with what the service takes for its parameters; the execution's ARN."""
    request: dict[str, Any] = {
        "PipelineName": pipeline,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in values.items()],
    }
    if display_name:
        request["PipelineExecutionDisplayName"] = display_name
    with aws.explained(f"starting pipeline {pipeline}"):
        return str(aws.client("sagemaker").start_pipeline_execution(**request)["PipelineExecutionArn"])


def retry(arn: str) -> None:
    """Run the failed and unfinished steps again, with the same definition and parameters.

    Raises:
        UsageError: the execution is running, or there is nothing left to do.
    """
    status = describe(arn)["PipelineExecutionStatus"]
    if status not in {"Failed", "CompletedWithFailures", "Stopped"}:
        fix = "Wait for it: scones status." if status in RUNNING else "Start another: scones start --wait."
        raise UsageError(f"Execution {execution_id(arn)} is {status}: there is nothing to resume.", fix)
    with aws.explained(f"resuming execution {execution_id(arn)}"):
        aws.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=arn)


def stop(arn: str) -> None:
    """Ask a running execution to stop; its jobs get their stop signal.

    Raises:
        UsageError: it is not running.
    """
    status = describe(arn)["PipelineExecutionStatus"]
    if status not in RUNNING:
        raise UsageError(f"Execution {execution_id(arn)} is {status}: there is nothing to stop.")
    with aws.explained(f"stopping execution {execution_id(arn)}"):
        aws.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=arn)


def newest_first(
    pipeline: str, page_size: int | None = None, after: datetime | None = None, before: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """ListPipelineExecutions' entries, asked for page by page as they are taken; a page has 10 unless told otherwise.

    Only those created `after` and `before` these times, if they are given, which SageMaker itself chooses.

    Raises:
        UsageError: there is no such pipeline.
    """
    with aws.explained(f"listing the executions of pipeline {pipeline}"):
        pages = aws.client("sagemaker").get_paginator("list_pipeline_executions")
        try:
            request: dict[str, Any] = {"PipelineName": pipeline, "SortBy": "CreationTime", "SortOrder": "Descending"}
            request |= {"CreatedAfter": after} if after else {}
            request |= {"CreatedBefore": before} if before else {}
            for page in pages.paginate(**request, PaginationConfig={"PageSize": page_size}):
                yield from page["PipelineExecutionSummaries"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFound":
                raise
            raise no_pipeline(pipeline) from None


def _require_archive(values: Mapping[str, Any]) -> None:
    """A missing archive would otherwise be noticed minutes later, when the first job has an instance."""
    if uri := str(values.get("InputArchiveUri") or ""):
        # A folder of pictures is there when its list is, which is uploaded last.
        _require(
            f"{uri}{picture_list.FILE}" if uri.endswith("/") else uri,
            f"The input archive {uri} is not there.",
            "Fetch it (scones data fetch) and start with --archive PATH, or start with --pictures FOLDER.",
        )


def _require(uri: str, problem: str, fix: str) -> None:
    """The object must be there. The caller may lack permission to read it: only the pipeline's role needs that.

    Raises:
        DataError: it is not.
    """
    try:
        missing = s3.head(uri) is None
    except CloudError as error:
        say(f"Not checked whether {uri} is there: {error}")
        return
    if missing:
        raise DataError(problem, fix)
