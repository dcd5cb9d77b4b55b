"""Pipelines and their versions."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.cloud import Cloud
from localcloud.sagemaker.engine import graph, records
from localcloud.sagemaker.engine.definition import DefinitionError
from localcloud.sagemaker.errors import bad_token, conflict, not_found, validation
from localcloud.sagemaker.operations.listing import seconds
from localcloud.sagemaker.operations.tags import as_dict
from localcloud.sagemaker.registry import operation
from localcloud.sagemaker.resources import existing, times
from localcloud.sagemaker.store import BadTokenError, Body, Column, Resource

PAGE = 100
"""Items on a page when the caller does not say: the most that the API allows, as the SDK reads one page only."""


def version(cloud: Cloud, pipeline: Resource, number: int | None) -> Resource:
    """A version of a pipeline, the latest if no number is given.

    Raises:
        ServiceError: there is no such version.
    """
    wanted = number or pipeline.body["LatestVersion"]
    found = cloud.store.find(records.VERSION, records.version_name(pipeline.name, wanted))
    if found is None:
        latest = pipeline.body["LatestVersion"]
        raise not_found(f"Pipeline {pipeline.name} has no version {wanted}; the latest is {latest}.")
    return found


@operation("CreatePipeline")
def create_pipeline(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Create a pipeline and its version 1; the same ClientRequestToken a second time changes nothing."""
    name, token = request["PipelineName"], request["ClientRequestToken"]
    arn = cloud.arn(f"pipeline/{name}")
    text = _definition(cloud, request)
    if text is None:
        raise validation("Either PipelineDefinition or PipelineDefinitionS3Location is required.")
    with cloud.store.transaction():
        old = cloud.store.find(records.PIPELINE.name, name)
        if old and old.body["ClientRequestToken"] == token:
            return {"PipelineArn": arn}
        if old:
            raise validation(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
        body = {**_members(request), "ClientRequestToken": token, "PipelineStatus": "Active", "LatestVersion": 1}
        body.setdefault("PipelineDisplayName", name)
        cloud.store.insert(records.PIPELINE.name, name, {**body, "PipelineName": name, "PipelineArn": arn}, arn=arn)
        _add_version(cloud, name, 1, text)
        cloud.store.set_tags(arn, as_dict(request.get("Tags")))
    return {"PipelineArn": arn}


@operation("UpdatePipeline")
def update_pipeline(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Change a pipeline. A definition that differs from the latest one becomes a new version; the same one does not."""
    text = _definition(cloud, request)
    with cloud.store.transaction():
        pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
        number = pipeline.body["LatestVersion"]
        if text is not None and text != version(cloud, pipeline, number).body["PipelineDefinition"]:
            number += 1
            _add_version(cloud, pipeline.name, number, text)
        cloud.store.update(records.PIPELINE.name, pipeline.name, {**_members(request), "LatestVersion": number})
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": number}


@operation("DescribePipeline")
def describe_pipeline(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """A pipeline with the definition of its latest version, or of the one that is asked for."""
    pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
    shown = version(cloud, pipeline, request.get("PipelineVersionId"))
    return {**times(pipeline), **pipeline.body, **shown.body, "CreatedBy": {}, "LastModifiedBy": {}}


@operation("ListPipelines")
def list_pipelines(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Pipelines, the newest first unless asked otherwise."""
    prefix = request.get("PipelineNamePrefix", "")
    order: Column = "name" if request.get("SortBy") == "Name" else "created"
    found, token = page(cloud, records.PIPELINE.name, request, order=order, name_contains=prefix)
    summaries = [
        {**times(pipeline), **pipeline.body, "LastExecutionTime": pipeline.body.get("LastRunTime")}
        for pipeline in found
        if pipeline.name.startswith(prefix)
    ]
    return {"PipelineSummaries": summaries, "NextToken": token}


@operation("DeletePipeline")
def delete_pipeline(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a pipeline with its executions; refused while one of them runs. Its jobs and models stay."""
    with cloud.store.transaction():
        pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
        executions, _ = cloud.store.page(records.EXECUTION, parent=pipeline.name)
        running = [execution.arn for execution in executions if execution.status in records.UNFINISHED]
        if running:
            raise conflict(
                f"Pipeline '{pipeline.arn}' has running executions and cannot be deleted; stop them first: "
                f"{', '.join(running)}."
            )
        records.delete_pipeline(cloud, pipeline.name)
    return {"PipelineArn": pipeline.arn}


@operation("ListPipelineVersions")
def list_pipeline_versions(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """The versions of a pipeline, the newest first unless asked otherwise."""
    pipeline = existing(cloud, records.PIPELINE, request["PipelineName"])
    found, token = page(cloud, records.VERSION, request, parent=pipeline.name)
    summaries = [{**item.body, "PipelineArn": pipeline.arn, "CreationTime": item.created} for item in found]
    return {"PipelineVersionSummaries": summaries, "NextToken": token}


@operation("UpdatePipelineVersion")
def update_pipeline_version(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Name and describe a version."""
    with cloud.store.transaction():
        pipeline = existing(cloud, records.PIPELINE, request["PipelineArn"])
        found = version(cloud, pipeline, request["PipelineVersionId"])
        members = ("PipelineVersionDisplayName", "PipelineVersionDescription")
        cloud.store.update(records.VERSION, found.name, {key: request[key] for key in members if key in request})
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": request["PipelineVersionId"]}


def page(
    cloud: Cloud,
    kind: str,
    request: dict[str, Any],
    *,
    parent: str | None = None,
    order: Column = "created",
    name_contains: str = "",
) -> tuple[list[Resource], str | None]:
    """The page that a List operation of pipelines asks for, the newest first, and the token of the next one.

    Raises:
        ServiceError: the NextToken or a time is not valid.
    """
    try:
        found, token = cloud.store.page(
            kind,
            parent=parent,
            name_contains=name_contains,
            created_after=seconds(request.get("CreatedAfter")),
            created_before=seconds(request.get("CreatedBefore")),
            order=order,
            descending=request.get("SortOrder", "Descending") == "Descending",
            limit=request.get("MaxResults", PAGE),
            after=request.get("NextToken", ""),
        )
    except BadTokenError:
        raise bad_token() from None
    except ValueError as error:
        raise validation(f"A time of the request is not valid: {error}.") from None
    return found, token or None


def _members(request: dict[str, Any]) -> Body:
    """What a pipeline takes from a request, and when: an execution changes the record, but not the pipeline."""
    names = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
    given = {name: request[name] for name in names if request.get(name) is not None}
    return {**given, "LastModifiedTime": time.time()}


def _add_version(cloud: Cloud, pipeline: str, number: int, text: str) -> None:
    name = records.version_name(pipeline, number)
    body = {"PipelineVersionId": number, "PipelineDefinition": text}
    cloud.store.insert(records.VERSION, name, body, arn="", parent=pipeline)


def _definition(cloud: Cloud, request: dict[str, Any]) -> str | None:
    """The definition's text, inline or from S3, if the request has one; checked."""
    text, place = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if text is not None and place is not None:
        raise validation("Only one of PipelineDefinition and PipelineDefinitionS3Location may be given.")
    if place is not None:
        text = _download(cloud, place)
    if text is not None:
        try:
            graph.parse(text)
        except graph.AssignmentError as error:
            raise validation(" ".join(error.problems)) from None
        except DefinitionError as error:
            raise validation(f"Unable to parse pipeline definition. {error}") from None
    return text


def _download(cloud: Cloud, place: dict[str, str]) -> str:
    wanted = {"Bucket": place["Bucket"], "Key": place["ObjectKey"]}
    if "VersionId" in place:
        wanted["VersionId"] = place["VersionId"]
    try:
        data: bytes = cloud.s3.get_object(**wanted)["Body"].read()
        return data.decode()
    except (ClientError, BotoCoreError, UnicodeDecodeError) as error:
        uri = f"s3://{place['Bucket']}/{place['ObjectKey']}"
        raise validation(f"The pipeline definition {uri} cannot be read: {error}") from None
